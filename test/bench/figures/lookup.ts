import { type Key, keyOf, missingKey } from '../items.ts'
import type { Run, Spec } from '../measure.ts'
import { after, drive, openWire, requestOf, served } from '../wire.ts'
import type { World } from '../world.ts'

export interface Asked {
  world: World
  /** How many there are to be found. */
  signals: number
  /** Of one round. */
  seconds: number
}

const HITS = 0.1
const KEYS = 1_000
/** 32 connections of each participant: look-ups that it asks for together share a commit. */
const CLIENTS = 256
/** Many short rounds: on a machine that others use as well, a reference taken seconds later is of another machine. */
const ROUNDS = { rounds: 15, warmups: 6, seconds: 2 }
/** Calls under way; more only wait. */
const BATCH_CLIENTS = 8
const BATCH_HITS = 0.01

/** One key a request, of eight participants with eight credentials and 32 connections each. */
export function lookupSingle({ world, signals }: Asked): Spec {
  const { rounds, warmups, seconds } = ROUNDS
  const wires = wiresOf(world, CLIENTS)
  return {
    name: 'lookup.single',
    what: `requests with one key, 10 % hits, journal committed before each answer; ${CLIENTS} clients of 8 participants`,
    unit: 'requests/s',
    target: 0.5,
    rounds,
    // Hot code is compiled only after some thousand requests.
    warmups,
    measured: rate(() =>
      drive(wires, after(seconds), async (wire) => {
        const hit = Math.random() < HITS
        const { type, profile, key } = hit ? someKey(signals) : missingKey()
        const body = `{"queries":[{"type":"${type}","profile":"${profile}","keys":["${key}"]}],"purpose":"enforcement"}`
        const answer = await served(wire, requestOf('POST', '/v1/lookups', body), 200)
        if (answer.body.includes('"matches":[]') === hit) throw new Error('a look-up was answered wrongly')
      }),
    ),
    reference: {
      what: 'a constant route (GET, 11 bytes) on the same listener, same clients',
      run: rate(() => {
        const request = requestOf('GET', '/bench/constant')
        return drive(wires, after(seconds), async (wire) => void (await served(wire, request, 200)))
      }),
    },
  }
}

/** A thousand keys a call. */
export function lookupBatch({ world, signals, seconds }: Asked): Spec {
  const wires = wiresOf(world, BATCH_CLIENTS)
  return {
    name: 'lookup.batch',
    what: `${KEYS.toLocaleString('en')} keys a call, 1 % hits, journal committed before each answer; ${BATCH_CLIENTS} clients of as many participants`,
    unit: 'keys/s',
    target: 150_000,
    rounds: 5,
    warmups: 2,
    measured: async (timed) => {
      const bodies = Array.from({ length: 40 }, () => batchBody(signals))
      let next = 0
      const run = rate(() =>
        drive(wires, after(seconds), async (wire) => {
          next += 1
          const request = bodies[next % bodies.length] ?? ''
          const answer = await served(wire, request, 200)
          if (answer.body.includes('"matches":[]')) throw new Error('a look-up found nothing')
        }),
      )
      return KEYS * (await run(timed))
    },
  }
}

/** The request with its keys in one query for each kind. */
function batchBody(signals: number): string {
  const keys = Array.from({ length: KEYS }, (_, i) => (i < KEYS * BATCH_HITS ? someKey(signals) : missingKey()))
  const queries = [...Map.groupBy(keys, ({ type, profile }) => `${type} ${profile}`).values()].map((own) => ({
    type: own[0]?.type,
    profile: own[0]?.profile,
    keys: own.map(({ key }) => key),
  }))
  return requestOf('POST', '/v1/lookups', JSON.stringify({ queries, purpose: 'enforcement' }))
}

const someKey = (signals: number): Key => keyOf(Math.floor(Math.random() * signals))

/** So many connections, the credentials in turn. */
export const wiresOf = ({ members, node }: World, n: number) =>
  Array.from({ length: Math.ceil(n / members.length) }, () => members)
    .flat()
    .slice(0, n)
    .map(({ tls }) => openWire(node().addresses.partner, tls))

/** Answers a second. */
export const rate =
  (work: () => Promise<number>): Run =>
  async (timed) => {
    const { result, seconds } = await timed(work)
    return result / seconds
  }
