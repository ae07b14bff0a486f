import { ROLES } from '../participants/schema.ts'
import type { Entry } from './entry.ts'
import type { Faults } from './faults.ts'
import type { Programme } from './programme.ts'

/**
 * Holds people against one another: each is added once, has no roles but those that votes are held against, and has them as one
 * that was added. That is judged at the end: entries of two processes may stand in another order.
 */
export function createRoles({ people }: Programme, faults: Faults): { entry(entry: Entry): void; end(): void } {
  const unknown: { whom: string; index: bigint }[] = []
  return {
    entry({ kind, index, fields }) {
      const whom = String(fields.get('whom'))
      if (kind === 'person.added' && people.has(whom)) faults.add(`the person ${whom} was added before`, index)
      if (kind !== 'role.changed') return
      const role = fields.get('role')
      if (!ROLES.some((known) => known === role)) faults.add(`there is no role ${role}`, index)
      if (!people.has(whom)) unknown.push({ whom, index })
    },
    end() {
      for (const { whom, index } of unknown)
        if (!people.has(whom)) faults.add(`the person ${whom} was never added`, index)
    },
  }
}
