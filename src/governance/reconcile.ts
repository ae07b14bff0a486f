import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type CountingOptions, createSubmitted, deltasOf, folded } from './count.ts'
import type { ShareRow } from './shares.ts'
import * as store from './store.ts'

export interface RecountOptions extends Omit<CountingOptions, 'directory'> {
  projector: Db
  directory: Pick<CountingOptions['directory'], 'slugOf'>
  provenance: Pick<ProvenanceService, 'entriesFrom'>
}

export interface Recounted {
  /** Entries that were counted again. */
  entries: bigint
  /** Rows that say something else than the entries, as sentences. */
  differences: string[]
}

const AT_ONCE = 256

/** Counts every entry again, from the first, and holds what the matrix has against it. */
export async function countedAnew(options: RecountOptions): Promise<Recounted> {
  const { projector, logId, provenance } = options
  const upto = await store.countedUpto(projector, logId)
  const ever = await store.everMembers(projector)
  const directory = { ...options.directory, audience: (id: Uuid) => ({ members: ever.get(id) ?? new Set<Uuid>() }) }
  const submitted = createSubmitted({ projector, directory })
  let made: ShareRow[] = []
  for (let at = 0n; at < upto; ) {
    const entries = await provenance.entriesFrom(projector, { logId, from: at, limit: AT_ONCE })
    const told = await store.recipientsBetween(projector, logId, { from: at, to: at + BigInt(entries.length) })
    const known = entries.filter(({ idx }) => idx < upto)
    const did = await submitted(known)
    const described = known.map((entry) => {
      const { shares = [] } = did.get(entry.event_id) ?? {}
      return { ...entry, shares, recipients: told.get(entry.idx) ?? [] }
    })
    made = folded([...made, ...(await deltasOf({ ...options, directory }, described))])
    if (entries.length === 0) break
    at += BigInt(entries.length)
  }
  const kept = new Map((await store.allShares(projector, logId)).map((row) => [nameOf(row), row]))
  const again = new Map(made.map((row) => [nameOf(row), row]))
  const names = [...new Set([...kept.keys(), ...again.keys()])].sort()
  return { entries: upto, differences: names.flatMap((name) => differences(name, kept.get(name), again.get(name))) }
}

const nameOf = ({ day, source, recipient, category, audience }: ShareRow): string =>
  `${day} ${source} ${recipient} ${category} ${audience}`

const KEYS = ['shared', 'confirmed', 'not_violating', 'answered', 'disputed', 'waits'] as const

function differences(name: string, kept: ShareRow | undefined, made: ShareRow | undefined): string[] {
  return KEYS.flatMap((key) => {
    const [here, there] = [String(kept?.[key] ?? 0), String(made?.[key] ?? 0)]
    const same = here === there || (isNothing(here) && isNothing(there))
    return same ? [] : [`${name}: ${key} ${here}, the log says ${there}`]
  })
}

const isNothing = (text: string): boolean => /^[0,]*$/.test(text)
