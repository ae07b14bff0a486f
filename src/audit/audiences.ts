import type { Entry } from './entry.ts'
import type { Programme } from './programme.ts'

/**
 * Why an audience may not be made or changed so, if that is so: each is made once, a group keeps its own, and that of the
 * whole programme is of the founding.
 */
export function audienceFault(programme: Programme, entry: Entry, founding: boolean): string | undefined {
  switch (entry.kind) {
    case 'audience.changed':
      return isProgrammes(entry) && !founding
        ? 'an audience of the whole programme is made after the founding'
        : madeBefore(programme, entry)
    case 'group.changed':
    case 'group.ended':
      return groupFault(programme, entry)
    default:
      return undefined
  }
}

/** Its maker owns it, or else it is everybody's. */
const isProgrammes = ({ fields }: Entry): boolean => {
  const actor = fields.get('actor')
  return typeof actor !== 'string' || actor === 'node'
}

function groupFault(programme: Programme, entry: Entry): string | undefined {
  const group = String(entry.fields.get('group'))
  const known = programme.groups.get(group)
  if (known === undefined) return madeBefore(programme, entry)
  const audience = String(entry.fields.get('audience'))
  return audience === known.audience ? undefined : `the audience ${audience} is not that of the group ${group}`
}

function madeBefore({ audiences }: Programme, { fields }: Entry): string | undefined {
  const audience = String(fields.get('audience'))
  return audiences.has(audience) ? `the audience ${audience} was made before` : undefined
}
