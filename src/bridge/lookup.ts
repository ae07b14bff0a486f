import { type LookupKey, lookupKeys, type RawLine } from '../client/derive.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Lack, Told } from './answer.ts'
import type { Epochs, Tokened } from './epochs.ts'
import type { Known } from './known.ts'
import { lookUpAtNode } from './lookup-node.ts'
import { lookUpPrivately } from './lookup-private.ts'
import { identifiersIn, matchAll, NO_TOKENS, readQueries } from './matching.ts'
import type { Mirrors } from './mirror.ts'
import { type NodeLink, refusalAtNode } from './node-link.ts'
import { type Asked, keysUnder } from './query.ts'
import type { LookupBody } from './schema.ts'

export interface LookupOptions {
  link: NodeLink
  mirrors: Mirrors
  epochs: Epochs
  known(): Known | undefined
  clock: Clock
}

/** Answers look-ups in each of their ways. */
export interface Lookups {
  answer(body: LookupBody): Promise<Told[]>
}

/** A query with its match keys, or why it has none. */
export type Keyed = { keys: LookupKey[]; lack: Lack | undefined } | Refusal

export function createLookups(options: LookupOptions): Lookups {
  const { mirrors, epochs } = options

  const atHome = async (asked: readonly (Asked | Refusal)[], tokened: Tokened): Promise<Told[]> => {
    const told = await mirrors.use((mirror) => matchAll(mirror, asked, tokened))
    if (told === undefined) throw new Refusal('mirror-stale', { detail: 'there is no match file yet' })
    return told
  }

  return {
    async answer(body) {
      const asked = readQueries(body.queries)
      const lines = identifiersIn(asked)
      const tokened = lines.length === 0 ? NO_TOKENS : await epochs.withNode(lines)
      if (body.how === undefined || body.how === 'mirror') return atHome(asked, tokened)
      const keyed = asked.map((one) => keyedOf(one, tokened))
      try {
        return await (body.how === 'node'
          ? options.link.ask(() => lookUpAtNode(options, body, keyed))
          : lookUpPrivately(options, body, keyed))
      } catch (error) {
        throw refusalAtNode(error)
      }
    },
  }
}

function keyedOf(asked: Asked | Refusal, { epochs, lack }: Tokened): Keyed {
  if (asked instanceof Refusal) return asked
  if (asked.kind === 'text') return new Refusal('validation-failed', { detail: 'texts are matched at home alone' })
  if (asked.kind === 'identifier') return { keys: keysUnder(asked.line, epochs), lack }
  return keysOfReady(asked.line, asked.key)
}

function keysOfReady(line: RawLine | undefined, key: LookupKey | undefined): Keyed {
  if (key !== undefined) return { keys: [key], lack: undefined }
  const found = line === undefined ? undefined : lookupKeys(line, { kid: '', tokens: new Map() })
  if (found?.outcome === 'keys') return { keys: found.keys, lack: undefined }
  return new Refusal('validation-failed', found === undefined ? {} : { detail: found.reason })
}
