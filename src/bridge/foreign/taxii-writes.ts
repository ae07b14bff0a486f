import { randomUUID } from 'node:crypto'
import { collectionId } from '../../interop/taxii/collection-id.ts'
import { statusOfAll } from '../../interop/taxii/envelope.ts'
import type { TaxiiWrites } from '../../interop/taxii/port.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { ForeignClient } from './clients.ts'
import { ownSignal, type TaxiiWritesOptions } from './taxii-objects.ts'
import { createRun, type Feed } from './taxii-run.ts'

/** What clients of TAXII write, signed here as submissions and feedback of the platform. */
export function createTaxiiWrites(options: TaxiiWritesOptions): TaxiiWrites<ForeignClient> {
  const { posted, feeds, now, wake } = options
  const feedOf = (collection: string): Feed => {
    const found = feeds().find(({ feed }) => collectionId(feed) === collection)
    if (found === undefined) throw new Refusal('not-found')
    return found
  }
  return {
    async add(client, collection, objects) {
      posted.expectRoom(client.name, now())
      const run = createRun(options, client, feedOf(collection))
      for (const object of objects) await run.take(object)
      await run.end()
      const status = statusOfAll(randomUUID(), now(), run.told)
      posted.tell(client.name, status, now())
      wake()
      return status
    },
    status: (client, id) => posted.told(client.name, id, now()),
    async remove(_client, collection, object) {
      const { feed } = feedOf(collection)
      const signal = ownSignal(options, feed, object)
      if (signal === 'of others')
        throw new Refusal('collection-read-only', { detail: 'the object is of another source' })
      if (signal === undefined) throw new Refusal('not-found')
      await options.writing.withdraw(signal)
      const known = posted.of(object)
      if (known !== undefined) posted.keep([{ ...known, ended: true }])
      wake()
    },
  }
}
