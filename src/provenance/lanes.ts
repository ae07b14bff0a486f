import type { Clock } from '../kernel/clock.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Asked, createWitnessClient, type Missing, type WitnessClient } from './ask-witness.ts'
import { type Contradiction, contradiction, type OwnLog, type Signed } from './held.ts'
import { type Policy, type PolicyWitness, quorumHolds } from './policy.ts'
import { consistencyProof } from './proof.ts'
import { tilesNow } from './tiles-now.ts'
import * as kept from './witness-store.ts'

/** Before a witness that is not needed is asked for the same checkpoint again. */
const AGAIN_MS = 10_000

export interface LanesOptions extends OwnLog {
  clock: Clock
  /** Undefined: no witnesses, and what is signed is published. Each of its witnesses has a URL. */
  policy: Policy | undefined
  /** Milliseconds in which a witness has to answer; 1,000 unless said otherwise. */
  answerMs?: number
  /** A witness that the quorum did not wait for has cosigned: another round has something to publish. */
  onLate(): void
  /** A witness is missing, for another reason than before. */
  onMissing(witness: string, reason: Missing): void
  /** A checkpoint under our own key contradicts the log; it is remembered before anything else is asked or answered. */
  onContradiction(found: Contradiction, witness: string): void
}

/** The witnesses of a policy, each asked by itself. */
export interface Lanes {
  /** What each cosigned last, as far as was written down. */
  load(): Promise<void>
  /** Asks all for the checkpoint: until the quorum holds, or every one has had its time. */
  ask(signed: Signed): Promise<void>
  holds(signed: Signed): boolean
  /** Cosignature lines of the checkpoint. */
  lines(signed: Signed): string[]
  /** Who did not cosign it, by the policy's names. */
  missing(signed: Signed): string[]
  /** What each cosigned last. */
  sizes(): Record<string, string>
  /** What was heard since it was last written down; `written` takes it off. */
  heard(): Pick<kept.Found, 'cosignatures' | 'missing'> & { written(): void }
  /** Waits for the requests under way. */
  close(): Promise<void>
}

/** One witness and what it last did. */
interface Lane {
  witness: PolicyWitness
  /** As rows name it. */
  id: string
  client: WitnessClient
  running: Promise<void> | undefined
  cosigned: { size: bigint; at: Date; line: string } | undefined
  failed: { size: bigint; at: Date; when: number; reason: Missing } | undefined
  old: bigint
}

export function createLanes(options: LanesOptions): Lanes {
  const { db, clock, logId, policy } = options
  const lanes = (policy?.witnesses ?? []).map((witness) => laneOf(witness, options))
  const unsaved: kept.CosignatureRow[] = []
  const absent: { witness: string; since: Date }[] = []
  let newest: Signed | undefined
  const holds = (signed: Signed, counts = has): boolean => {
    const names = new Set(lanes.filter((lane) => counts(lane, signed)).map(({ witness }) => witness.name))
    return policy === undefined || quorumHolds(policy, names)
  }

  const take = (lane: Lane, signed: Signed, asked: Asked): void => {
    const { size, at } = signed
    if (asked.outcome === 'cosigned') {
      Object.assign(lane, { cosigned: { size, at, line: asked.line }, old: size, failed: undefined })
      unsaved.push({ size, witness: lane.id, seconds: asked.seconds, line: asked.line })
      return
    }
    const reason = asked.outcome === 'missing' ? asked.reason : 'refused'
    if (lane.failed?.reason !== reason) options.onMissing(lane.witness.name, reason)
    if (lane.failed === undefined) absent.push({ witness: lane.id, since: clock() })
    lane.failed = { size, at, when: performance.now(), reason }
  }

  const askNow = async (lane: Lane, signed: Signed, proof: Proof): Promise<void> => {
    const { note, text, size } = signed
    const asked = await lane.client.ask({ ...{ note, text, size, old: lane.old, proof }, now: clock() })
    const found = asked.outcome === 'holds' ? await contradiction(options, asked.held) : undefined
    if (found !== undefined) options.onContradiction(found, lane.witness.name)
    take(lane, signed, asked)
  }

  /** One request at a time to each witness, always for the newest checkpoint; whether it cosigned it now. */
  const askOne = async (lane: Lane, signed: Signed, proof: Proof): Promise<boolean> => {
    await lane.running?.catch(() => {})
    if (newest !== signed || isFresh(lane, signed) || (rests(lane, signed) && holds(signed))) return false
    lane.running = askNow(lane, signed, proof).finally(() => {
      lane.running = undefined
    })
    await lane.running
    return isFresh(lane, signed)
  }

  return {
    holds: (signed) => holds(signed),
    lines: (signed) => lanes.flatMap((lane) => (has(lane, signed) ? [lane.cosigned?.line ?? ''] : [])),
    missing: (signed) => lanes.filter((lane) => !has(lane, signed)).map(({ witness }) => witness.name),
    sizes: () => Object.fromEntries(lanes.map(({ witness, old }) => [witness.name, String(old)])),
    async load() {
      const rows = new Map((await kept.witnesses(db, logId)).map((row) => [row.witness, row]))
      for (const lane of lanes) lane.old = rows.get(lane.id)?.size ?? 0n
    },
    async ask(signed) {
      newest = signed
      const proof = proofs(options, signed.size)
      let done = false
      const asks = lanes.map((lane) =>
        askOne(lane, signed, proof).then((cosigned) => {
          if (done && cosigned) options.onLate()
        }),
      )
      await untilQuorum(asks, () => holds(signed, isFresh))
      done = true
    },
    heard() {
      const [cosignatures, missing] = [[...unsaved], [...absent]]
      const written = (): void => {
        unsaved.splice(0, cosignatures.length)
        absent.splice(0, missing.length)
      }
      return { cosignatures, missing, written }
    },
    async close() {
      await Promise.allSettled(lanes.map((lane) => lane.running))
      for (const { client } of lanes) client.close()
    },
  }
}

const has = (lane: Lane, { size }: Signed): boolean => lane.cosigned?.size === size
const isFresh = (lane: Lane, signed: Signed): boolean =>
  has(lane, signed) && lane.cosigned?.at.getTime() === signed.at.getTime()
/** Whether it was asked for this very checkpoint a moment ago. */
const rests = ({ failed }: Lane, { at }: Signed): boolean =>
  failed?.at.getTime() === at.getTime() && performance.now() - failed.when < AGAIN_MS

type Proof = (from: bigint) => Promise<readonly Uint8Array[]>

function laneOf(witness: PolicyWitness, { key: log, answerMs }: Pick<LanesOptions, 'key' | 'answerMs'>): Lane {
  const { key, url } = witness
  if (url === undefined) throw new TypeError('a witness without URL cannot be asked')
  const client = createWitnessClient(url, key, log, answerMs)
  return {
    ...{ witness, id: kept.witnessId(key), client, old: 0n },
    running: undefined,
    cosigned: undefined,
    failed: undefined,
  }
}

/** Paths to one size; most witnesses ask for the same. */
function proofs({ ledger, logId }: LanesOptions, to: bigint): Proof {
  const made = new Map<bigint, Promise<readonly Uint8Array[]>>()
  return (from) => {
    const path =
      made.get(from) ?? tilesNow({ db: ledger, logId }).then((read) => consistencyProof(sha256, read, from, to))
    made.set(from, path)
    return path
  }
}

function untilQuorum(asks: readonly Promise<void>[], holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = asks.length
    if (left === 0 || holds()) resolve()
    for (const ask of asks) {
      ask.then(() => {
        left -= 1
        if (left === 0 || holds()) resolve()
      }, reject)
    }
  })
}
