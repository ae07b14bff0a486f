import { type Bridge, startBridge } from '../../src/bridge/bridge.ts'
import { addForeignClient, type ForeignSettings } from '../../src/bridge/foreign/clients.ts'
import type { Happening } from '../../src/bridge/keeper.ts'
import { numberOf } from '../../src/interop/threatexchange/numbers.ts'
import type { Member } from '../support/node.ts'

export interface ForeignBridge {
  bridge: Bridge
  /** How a client of ThreatExchange finds it. */
  at: { origin: string; token: string }
  secret: string
  /** Fetches what the node has, and waits until clients are told of it. */
  synced(): Promise<void>
  end(): Promise<void>
}

/** A bridge in a participant's folder, which synchronises when it is told to, with one client of other protocols. */
export async function aForeignBridge(member: Member, settings: ForeignSettings): Promise<ForeignBridge> {
  const { home } = member
  const secret = addForeignClient(home.dir, 'scanner', settings, new Date())
  let told: (happening: Happening) => void = () => {}
  const next = (what: Happening['what']): Promise<void> =>
    new Promise((resolve, reject) => {
      told = (happening) => {
        if (happening.what === what) resolve()
        if (happening.what === 'sync-failed' || happening.what === 'fault')
          reject(new Error(`${happening.what}: ${happening.code}`))
      }
    })
  const first = next('synced')
  const bridge = await startBridge({
    ...{ home, place: { host: '127.0.0.1', port: 0 }, clock: () => new Date() },
    ...{ intervalMs: 3_600_000, maxAgeMs: 86_400_000, acknowledges: true },
    tell: (happening) => told(happening),
  })
  await first
  // What was fetched is served a moment later.
  await bridge.settled()
  return {
    bridge,
    at: { origin: bridge.origin, token: `${numberOf('participant', member.slug)}|${secret}` },
    secret,
    async synced() {
      // One that runs may have asked before: the second asks after.
      for (let rounds = 0; rounds < 2; rounds++) {
        let over = false
        const round = next('synced').then(() => {
          over = true
        })
        while (!over) {
          bridge.wake()
          await Promise.race([round, new Promise((resolve) => setTimeout(resolve, 20))])
        }
      }
      await bridge.settled()
    },
    end: () => bridge.close(),
  }
}
