import type { Uuid } from '../kernel/ids.ts'
import type { Role } from '../participants/schema.ts'

/** Who looks at the console, as this one request found the person: roles are read anew each time. */
export interface Viewer {
  person: Uuid
  /** Slug of the organisation. */
  organisation: string
  /** Where the organisation is a participant. */
  participant?: Uuid
  /** How others of the programme see the person; unique enough within an organisation. */
  pseudonym: string
  /** What the identity provider claims and the programme has granted, both. */
  roles: readonly Role[]
  /** When the person last proved who it is. */
  authTime: Date
  /** Whether that was a step-up, at most five minutes ago. */
  steppedUp: boolean
  /** Goes into every form and comes back with it. */
  csrf: string
}

/** Who may open a route: one of these roles, anybody who is signed in, or (`public`) everybody. */
export type Admitted = readonly Role[] | 'signed-in' | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route of the console says it; who lacks the role is answered as if there were nothing. */
    roles?: Admitted
    /** Asked by a page on its own, without a person's doing: does not prolong the session. */
    background?: boolean
  }
  interface FastifyRequest {
    /** Set on every route that is not public. */
    viewer: Viewer
  }
}

export const holdsOne = (viewer: Pick<Viewer, 'roles'>, roles: readonly Role[]): boolean =>
  viewer.roles.some((role) => roles.includes(role))

/** Read aloud without mistakes: no letter or digit that is taken for another. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/** From the random end of the id, so that two of one morning do not look alike. */
export function pseudonymOf(person: Uuid): string {
  const bits = Number.parseInt(person.slice(-8), 16)
  return [15, 10, 5, 0].map((shift) => ALPHABET[(bits >>> shift) & 31]).join('')
}
