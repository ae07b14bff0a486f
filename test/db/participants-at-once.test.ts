import fc from 'fast-check'
import { expect, test } from 'vitest'
import { participantsAtOnce } from '../../src/db/participants-at-once.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const PARTICIPANTS = Array.from({ length: 40 }, () => newId(NOON))
const listed = (array: string): string[] => array.slice(1, -1).split(',')

test('events of many participants are asked for in statements of at most sixteen, each once and beside its own', () => {
  const events = fc
    .array(fc.constantFrom(...PARTICIPANTS), { maxLength: 120 })
    .map((whose) => whose.map((participant_id) => ({ participant_id, event_id: newId(NOON) })))
  fc.assert(
    fc.property(events, (all) => {
      const whose = new Map<string, Uuid>(all.map(({ event_id, participant_id }) => [event_id, participant_id]))
      const asked = participantsAtOnce(all).map((some) => [listed(some.participants), listed(some.events)] as const)
      expect(asked.flatMap(([, own]) => own).toSorted()).toEqual([...whose.keys()].toSorted())
      for (const [participants, own] of asked) {
        expect(participants.length).toBeLessThanOrEqual(16)
        expect(new Set(own.map((event) => whose.get(event)))).toEqual(new Set(participants))
      }
      expect(asked.length).toBe(Math.ceil(new Set(whose.values()).size / 16))
    }),
  )
})
