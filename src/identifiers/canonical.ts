/** An identifier in its one form under a profile; of a link, also the expressions that it is matched by. */
export type Canonical =
  | { outcome: 'ok'; profile: string; canonical: string; expressions: readonly Expression[] }
  | { outcome: 'refused'; reason: string }

/** A host-suffix/path-prefix expression (Safe Browsing, "Suffix/prefix expressions") and what it covers. */
export interface Expression {
  expression: string
  scope: Scope
}

export interface Scope {
  host: 'exact' | 'suffix'
  path: 'query' | 'exact' | 'prefix' | 'root'
}

export const refused = (reason: string): Canonical => ({ outcome: 'refused', reason })

export const canonical = (profile: string, text: string): Canonical => ({
  outcome: 'ok',
  profile,
  canonical: text,
  expressions: [],
})

/** A platform's or service's name in a profile. */
const SERVICE = /^[a-z0-9][a-z0-9._-]{0,40}$/

export const isService = (service: string | undefined): service is string =>
  service !== undefined && SERVICE.test(service)
