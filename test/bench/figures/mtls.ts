import type { Spec } from '../measure.ts'
import { after, drive, openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'
import { rate, wiresOf } from './lookup.ts'

const CLIENTS = 64

/** What knowing the caller costs: certificate, admission, and the limit of a credential. */
export function mtlsOverhead({ world, seconds }: { world: World; seconds: number }): Spec {
  const known = wiresOf(world, CLIENTS)
  const { plain } = world.node().addresses
  const unknown = world.members.slice(0, CLIENTS).map(({ tls: { ca } }) => openWire(plain, { ca }))
  const request = requestOf('GET', '/bench/constant')
  const side = (wires: readonly Wire[]) =>
    rate(() => drive(wires, after(seconds), async (wire) => void (await served(wire, request, 200))))
  return {
    name: 'mtls.overhead',
    what: `requests of a constant route with client certificate, kept alive, ${CLIENTS} clients; each admitted and held to its credential's limit`,
    unit: 'requests/s',
    target: 0.9,
    rounds: 5,
    warmups: 1,
    measured: side(known),
    reference: {
      what: 'the same route over TLS without client certificates, without those two',
      run: side(unknown),
    },
  }
}
