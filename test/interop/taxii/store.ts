import { stixText } from '../../../src/interop/stix/text.ts'
import { statusOfAll } from '../../../src/interop/taxii/envelope.ts'
import {
  type TaxiiCollection,
  type TaxiiRecord,
  type TaxiiStatus,
  type TaxiiStore,
  type TaxiiWrites,
  taxiiRecord,
} from '../../../src/interop/taxii/port.ts'
import { Refusal } from '../../../src/kernel/errors.ts'

export const COLLECTION: TaxiiCollection = {
  ...{ id: '0b9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21', alias: 'orchard', title: 'Orchard', can_read: true },
  can_write: false,
}

export const recordOf = (i: number, type = 'indicator'): TaxiiRecord =>
  taxiiRecord(
    { at: BigInt(i), added: 1_700_000_000_000_000n + BigInt(i) },
    stixText(
      { type, id: `${type}--00000000-0000-4000-8000-${String(i).padStart(12, '0')}`, spec_version: '2.1', i },
      new Date(1_700_000_000_000 + i).toISOString(),
    ),
  )

export const WRITABLE: TaxiiCollection = { ...COLLECTION, can_write: true }

/** Takes what has an id, and ends what was taken. */
export function memoryWrites(): TaxiiWrites<string> & { objects: unknown[]; ended: string[] } {
  const told = new Map<string, TaxiiStatus>()
  const [objects, ended]: [unknown[], string[]] = [[], []]
  return {
    objects,
    ended,
    async add(by, _collection, given) {
      objects.push(...given)
      const id = `status-${told.size + 1}`
      const detailOf = (one: unknown) => ({ id: String((one as { id?: string }).id), version: '', message: '' })
      const named = given.filter((one) => (one as { id?: string }).id !== undefined)
      const [successes, failures] = [named, given.filter((one) => !named.includes(one))]
      const all = { successes: successes.map(detailOf), failures: failures.map(detailOf) }
      const status = statusOfAll(id, new Date(1_700_000_000_000), all)
      told.set(`${by} ${id}`, status)
      return status
    },
    status: (by, id) => told.get(`${by} ${id}`),
    async remove(_by, _collection, object) {
      ended.push(object)
    },
  }
}

/** Keeps any objects in memory, and remembers what was given out. */
export function memoryStore(records: readonly TaxiiRecord[], collections = [COLLECTION]) {
  const given: string[] = []
  const store: TaxiiStore<string> = {
    programme: 'orchard',
    collections: async () => collections,
    async read(_by, collection, { after, limit, wants }, render) {
      if (collections.every(({ id }) => id !== collection)) throw new Refusal('not-found')
      const behind = records.filter((one) => ('at' in after ? one.at > after.at : one.added > after.added))
      const wanted = behind.filter(wants)
      const page = wanted.slice(0, limit)
      const to = page.at(-1)?.at ?? ('at' in after ? after.at : 0n)
      const rendered = render({ records: page, more: wanted.length > limit, to })
      given.push(...rendered.given.map(({ id }) => id))
      return rendered.answer
    },
  }
  return { store, given }
}
