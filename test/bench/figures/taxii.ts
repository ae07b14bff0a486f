import type { Spec } from '../measure.ts'
import { openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'
import { pageAt, startOf } from './sync.ts'

const TAXII = 'application/taxii+json;version=2.1'
const PAGE = 1_000
/** Pages of a round. */
const PAGES = 20

/** What a TAXII client takes of a collection, against what a native one takes of the same feed, page for page. */
export function taxiiPage(world: World): Spec {
  const wire = openWire(world.node().addresses.partner, world.members.at(-1)?.tls ?? { ca: '' })
  return {
    name: 'taxii.page',
    what: `signals in TAXII pages of ${PAGE.toLocaleString('en')} objects over mTLS, as STIX 2.1; each read journaled`,
    unit: 'signals/s',
    target: 0.5,
    rounds: 5,
    warmups: 2,
    measured: async (timed) => {
      const path = `${await collectionAt(wire)}objects/?limit=${PAGE}`
      const { result, seconds } = await timed(() => indicatorsOf(wire, path))
      return result / seconds
    },
    reference: {
      what: `the same of the native feed, pages of ${PAGE.toLocaleString('en')} events`,
      run: async (timed) => {
        let cursor = await startOf(wire, world.feed)
        const { seconds } = await timed(async () => {
          for (let i = 0; i < PAGES; i++) cursor = (await pageAt(wire, world.feed, cursor)).next_cursor
        })
        return (PAGES * PAGE) / seconds
      },
    },
  }
}

/** Of the programme's own audience, the only one there is. */
async function collectionAt(wire: Wire): Promise<string> {
  const root = '/taxii2/orchard/collections/'
  const { body } = await served(wire, requestOf('GET', root, undefined, TAXII), 200)
  const { collections } = JSON.parse(body.toString()) as { collections: { id: string; can_read: boolean }[] }
  const [found] = collections.filter(({ can_read }) => can_read)
  if (found === undefined) throw new Error('the reader sees no collection')
  return `${root}${found.id}/`
}

/** How many of the objects are indicators: markings and the like come along. */
async function indicatorsOf(wire: Wire, path: string): Promise<number> {
  let next = ''
  let found = 0
  for (let i = 0; i < PAGES; i++) {
    const { body } = await served(wire, requestOf('GET', `${path}${next}`, undefined, TAXII), 200)
    const text = body.toString()
    found += text.split('"type":"indicator"').length - 1
    const more = /"next":"([^"]+)"/.exec(text.slice(0, 1_000)) ?? /"next":"([^"]+)"/.exec(text.slice(-1_000))
    if (more === null) throw new Error('there are fewer pages than that')
    next = `&next=${encodeURIComponent(more[1] ?? '')}`
  }
  return found
}
