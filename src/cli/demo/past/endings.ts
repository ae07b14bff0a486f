import type { Planned } from './act.ts'
import { CAST, type Party } from './cast.ts'
import type { Draft } from './draft.ts'
import { lasting, type Quota, takesTwo } from './stories.ts'
import { verdictOf } from './words.ts'

/** What lies on the desks at the present: cases in every state, found on the last day. */
export function desks(draft: Draft, quota: Quota): void {
  const { random } = draft
  const found = (most: number, more: (one: Planned) => boolean = () => true): [Planned, Party][] =>
    draft
      .take(
        most,
        lasting(1, (one) => one.day < draft.last && one.lives > draft.last && more(one)),
      )
      .map((one) => {
        const by = random.pick(one.recipients)
        draft.hit(draft.last, by, one.name, random.from(1, 12))
        return [one, by]
      })
  const end = (act: Parameters<Draft['add']>[2]): void => draft.add(draft.last, 'end', act)

  found(quota(16))
  for (const [one, by] of found(quota(2)))
    end({
      kind: 'park',
      by,
      signal: one.name,
      operator: draft.pair()[0],
      reason: random.pick(['asks_colleague', 'waits_for_data']),
    })
  for (const [one, by] of found(quota(3), ({ severity }) => severity === 'critical'))
    end({
      kind: 'propose',
      by,
      signal: one.name,
      operator: draft.pair()[0],
      said: verdictOf(random, 'confirmed_action_taken', one.type),
    })
  for (const [one, by] of found(quota(1))) {
    const [operator, to] = draft.pair()
    end({ kind: 'hand_over', by, signal: one.name, operator, to })
  }
  // Nobody of the story is told of them while it is played.
  const others = ({ source }: Planned): boolean => source === 'damson' || source === 'elder'
  for (const [one, by] of found(quota(2), others)) {
    const said = verdictOf(random, 'outdated', one.type)
    if (takesTwo(one, said)) throw new RangeError('a decision in its grace needs nobody else')
    end({ kind: 'review', by, signal: one.name, operator: draft.pair()[0], said })
  }
  // Last of all: a lease has a quarter of an hour.
  for (const [one, by] of found(quota(2))) end({ kind: 'claim', by, signal: one.name, operator: draft.pair()[0] })
}

const WEEK = 7

/** Look-ups of what platforms meet: half of it was shared with them before. */
export function lookUps(draft: Draft, known: ReadonlyMap<Party, readonly Planned[]>, lineOf: LineOf): void {
  const { random, last } = draft
  for (const [i, by] of CAST.entries())
    for (let day = i + 2; day <= last; day += WEEK) {
      const met = (known.get(by) ?? []).filter((one) => one.day < day - 1)
      const some = random
        .shuffled(met)
        .slice(0, 10)
        .flatMap(({ name }) => lineOf(name))
      const unknown = Array.from({ length: 10 }, (_, n) => ({
        ...({ type: 'url', raw: `https://page-${day}-${n}.example/` } as const),
      }))
      draft.add(day, 'ask', { kind: 'ask', by, lines: [...some, ...unknown] })
    }
}

type LineOf = (name: Planned['name']) => Extract<Parameters<Draft['add']>[2], { kind: 'ask' }>['lines'][number][]
