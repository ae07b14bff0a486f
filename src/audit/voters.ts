import { ACTIONS, type ActionRule, isAction } from '../participants/action.ts'
import { approversNow } from '../participants/approval-rule.ts'
import { ROLES, type Role } from '../participants/schema.ts'
import type { Entry } from './entry.ts'
import { GRACE_MS, type Programme } from './programme.ts'

/** The request that is voted on, as it was made. */
interface Voted {
  action: string
  by: string
}

/** Why a person may not ask for the act, or not answer, if that is so. Of acts that this audit does not know nothing can be said. */
export function voterFault(programme: Programme, entry: Entry, asked: Voted | undefined): string | undefined {
  const { kind, fields } = entry
  const action = kind === 'approval.requested' ? String(fields.get('action')) : String(asked?.action)
  if (!isAction(action)) return undefined
  const rule = ACTIONS[action]
  const person = String(fields.get('person'))
  if (kind === 'approval.requested' && rule.byAct !== true && !holdsOne(programme, entry, rule.proposers))
    return `${person} may not ask for ${action}`
  if (kind !== 'approval.given' && kind !== 'approval.refused') return undefined
  if (!holdsOne(programme, entry, approversIn(programme, rule)))
    return `${person} may not answer a request of ${action}`
  const { people } = programme
  return rule.otherOrg && people.get(person) === people.get(String(asked?.by))
    ? `${person} is of the organisation that asked for ${action}`
    : undefined
}

const approversIn = ({ roles }: Programme, rule: ActionRule): readonly Role[] =>
  approversNow(rule, new Set(ROLES.filter((role) => [...roles.keys()].some((name) => name.endsWith(` ${role}`)))))

function holdsOne({ roles, endedRoles }: Programme, { fields, time }: Entry, any: readonly Role[]): boolean {
  const person = String(fields.get('person'))
  return any.some((role) => {
    const name = `${person} ${role}`
    return roles.has(name) || time <= (endedRoles.get(name) ?? Number.NaN) + GRACE_MS
  })
}
