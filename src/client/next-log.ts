import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { equal } from '../kernel/bytes.ts'
import { systemClock } from '../kernel/clock.ts'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { VerifierKey } from '../provenance/note.ts'
import { hostOf, logIdOf, openingOf } from '../provenance/origin.ts'
import type { Policy } from '../provenance/policy.ts'
import { parseReceipt, type Verified } from '../provenance/receipt.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import { extendToEnd, historyIn } from './former-histories.ts'
import { ENDED_FILE, formerLogs, treeIn, VKEY_FILE } from './former-logs.ts'
import { HEAD_FILE, HEAD_LOCK, lockOf, newerHead } from './heads.ts'
import type { Home } from './home.ts'
import { checkReceipt, openHead, openVkey } from './verify.ts'
import { openPolicy } from './witnessed.ts'

/** What its first entry says of the log that the node opened after ours. */
export interface NextLog {
  origin: string
  reason: string
  /** Size at which ours ended. */
  ended: bigint
  /** Entries that we hold a signed checkpoint of, and that the node no longer has in ours. */
  lost: bigint
  /**
   * From now on the next log is the one that this folder follows; what belongs to ours is kept under `former/<number>`, and our chain
   * in it is taken to its end before, unless entries are lost. Throws `VerificationFailed` where the node does not give that out, and
   * `home-in-use` where another process keeps heads, or has kept another than the one that was looked at.
   */
  accept(): Promise<void>
}

/** The key of the log that is to be followed; there until the switch to it is done. */
const NEXT_FILE = 'log.next.vkey'
/** What is of one log alone. */
const OF_ONE_LOG = [HEAD_FILE, 'witness.policy']

/**
 * Checks the log that follows ours, by a key that its operator told us by another way than the node: its first entry is
 * under its signed root, names our log, and the checkpoint that ours ended with continues what we hold. Throws `VerificationFailed`.
 */
export async function openNextLog(home: Home, vkeyText: string): Promise<NextLog> {
  const looked = home.pinned()
  const { vkey, head } = looked
  const [ours, next] = [openVkey(vkey), openVkey(vkeyText)]
  const number = logIdOf(ours.name)
  if (hostOf(next.name) !== hostOf(ours.name) || logIdOf(next.name) <= number)
    throw new VerificationFailed('next log', `${next.name} does not follow ${ours.name}`)
  const [client, former] = [home.connect(logIdOf(next.name)), home.connect(number)]
  try {
    const opened = await client.receipt(openingOf(sha256, next.name))
    if (opened === undefined) throw new VerificationFailed('next log', 'it has no first entry yet: try again')
    const { origin, checkpoint, reason } = previousIn(checkReceipt(opened, next), next.name)
    if (origin !== ours.name) throw new VerificationFailed('next log', `it follows ${origin}, and not ${ours.name}`)
    const last = checkpoint === null ? undefined : openHead(checkpoint, ours)
    const ended = last?.size ?? 0n
    const lost = head !== undefined && head.size > ended ? head.size - ended : 0n
    // Of what it lost the node can prove nothing.
    if (last !== undefined && lost === 0n) await newerHead({ dir: home.dir, vkey, client: former }, head, last)
    return {
      origin: next.name,
      reason,
      ended,
      lost,
      async accept() {
        // What the folder lacks of our chain in ours is in no other log.
        if (lost === 0n) await extendToEnd(home, { key: ours, kept: historyIn(home, ours), end: last })
        await follow(home, looked, { vkeyText, last: last?.note })
      },
    }
  } finally {
    client.close()
    former.close()
  }
}

/**
 * The key of the log that a receipt names, among those that the folder follows or followed; the present one's otherwise. Throws
 * `VerificationFailed` where it is of one that ended, and of a tree that this one did not have.
 */
export function keyOfReceipt({ dir, pinned }: Pick<Home, 'dir' | 'pinned'>, receipt: string): VerifierKey {
  const present = openVkey(pinned().vkey)
  const checkpoint = parseReceipt(receipt)?.checkpoint ?? ''
  const origin = checkpoint.split('\n', 1)[0]
  const former = origin === present.name ? undefined : formerLogs(dir).find(({ key }) => key.name === origin)
  if (former === undefined) return present
  const { key, last } = former
  const head = treeIn(checkpoint)
  const isOther =
    last !== undefined && (head.size > last.size || (head.size === last.size && !equal(head.root, last.root)))
  if (isOther) throw new VerificationFailed('receipt', `it is of another tree than ${key.name} ended with`)
  return key
}

/** When the folder went over to the log that followed this key's; undefined for the present one, and where it was not noted. */
export const endedAt = ({ dir }: Pick<Home, 'dir'>, { name }: VerifierKey): Date | undefined =>
  formerLogs(dir).find(({ key }) => key.name === name)?.at

/** The witnesses that a receipt under this key must have: those that are pinned, for the present log alone. */
export function policyOfReceipt(
  { pinned, pinnedPolicy }: Pick<Home, 'pinned' | 'pinnedPolicy'>,
  key: VerifierKey,
): Policy | undefined {
  const text = pinnedPolicy()
  if (text === undefined) return undefined
  const present = openVkey(pinned().vkey)
  return key.name === present.name && equal(key.publicKey, present.publicKey) ? openPolicy(text, key) : undefined
}

/** Alone among those that keep heads: a head of ours that came after the switch would stand under the next log's key. */
async function follow(
  { dir, pinned }: Pick<Home, 'dir' | 'pinned'>,
  looked: ReturnType<Home['pinned']>,
  { vkeyText, last }: { vkeyText: string; last: string | undefined },
): Promise<void> {
  const letGo = await lockOf(join(dir, HEAD_LOCK))
  try {
    const { vkey, head } = pinned()
    if (vkey !== looked.vkey || head?.note !== looked.head?.note)
      throw new Refusal('home-in-use', { detail: 'another process has kept a head meanwhile: run it again' })
    const former = join(dir, 'former', String(logIdOf(openVkey(vkey).name)))
    writeDurably(join(former, ENDED_FILE), `${systemClock().toISOString()}\n${last ?? ''}`)
    writeDurably(join(dir, NEXT_FILE), `${vkeyText.trim()}\n`)
    endSwitch(dir)
  } finally {
    await letGo()
  }
}

/** Ends a switch to another log that was accepted, also one that a crash broke off: between its steps the folder follows neither log whole. */
export function endSwitch(dir: string): void {
  const next = readIfThere(join(dir, NEXT_FILE))
  if (next === undefined) return
  const present = readIfThere(join(dir, VKEY_FILE))
  if (present !== undefined && present !== next) {
    const origin = openVkey(present).name
    const former = join(dir, 'former', String(logIdOf(origin)))
    // What is gone was kept by the run that broke off; a head of the next log is another process's that has ended the switch.
    const own = OF_ONE_LOG.flatMap((name) => {
      const text = readIfThere(join(dir, name))
      return text === undefined || (name === HEAD_FILE && !text.startsWith(`${origin}\n`)) ? [] : [{ name, text }]
    })
    for (const { name, text } of [{ name: VKEY_FILE, text: present }, ...own]) writeDurably(join(former, name), text)
    for (const { name } of own) rmSync(join(dir, name), { force: true })
    writeDurably(join(dir, VKEY_FILE), next)
  }
  removeDurably(join(dir, NEXT_FILE))
}

interface Previous {
  origin: string
  checkpoint: string | null
  reason: string
}

/** The log before, as the first entry of the next one names it. */
function previousIn({ passed, fields, index }: Verified, origin: string): Previous {
  const told = new Map(fields.map(({ name, value }) => [name, value]))
  if (!passed || index !== 0n || told.get('type') !== 'log.opened' || told.get('origin') !== origin)
    throw new VerificationFailed('next log', 'its first entry is none that opens it')
  const previous = told.get('previous')
  if (!isPrevious(previous)) throw new VerificationFailed('next log', 'its first entry names no log before it')
  return previous
}

function isPrevious(value: unknown): value is Previous {
  if (typeof value !== 'object' || value === null) return false
  const { origin, checkpoint, reason } = value as Record<string, unknown>
  return (
    typeof origin === 'string' && typeof reason === 'string' && (checkpoint === null || typeof checkpoint === 'string')
  )
}
