import { Refusal } from '../kernel/errors.ts'
import { ASSERTION_TYPE } from './schema.ts'

/** A request for an access token by the grant `client_credentials` (RFC 6749 section 4.4). */
export interface Grant {
  /** In the order in which they are asked for; undefined: all that there are. */
  scopes: readonly string[] | undefined
  client: string | undefined
  /** A signed assertion of the client (RFC 7523), beside its certificate. */
  assertion: string | undefined
}

/** Parameters of which one request has at most so many. */
const PARAMETERS_MAX = 16

/** Reads the form; parameters that nobody knows are passed over (RFC 6749 section 3.2), one that comes twice is refused. */
export function grantOf(form: string): Grant {
  const fields = fieldsOf(form)
  const type = fields.get('grant_type')
  if (type === undefined) throw malformed('grant_type is missing')
  if (type !== 'client_credentials') throw new Refusal('grant-unsupported')
  const assertion = fields.get('client_assertion')
  const kind = fields.get('client_assertion_type')
  if ((assertion === undefined) !== (kind === undefined) || (kind ?? ASSERTION_TYPE) !== ASSERTION_TYPE)
    throw malformed(`client_assertion goes with client_assertion_type ${ASSERTION_TYPE}`)
  return { scopes: scopesIn(fields.get('scope')), client: fields.get('client_id'), assertion }
}

/** The scopes of the grant: asked for and held, or all that are held. `scope-unknown` where one is not. */
export function grantedScopes(asked: readonly string[] | undefined, held: readonly string[]): readonly string[] {
  if (asked === undefined) return held
  if (asked.some((scope) => !held.includes(scope)))
    throw new Refusal('scope-unknown', { detail: `this credential may ask for ${held.join(' ')}` })
  return held.filter((scope) => asked.includes(scope))
}

function scopesIn(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const scopes = text.split(' ')
  if (scopes.some((scope) => scope === '') || new Set(scopes).size !== scopes.length)
    throw malformed('scope is a list of different names, parted by single spaces')
  return scopes
}

/** Without those that are empty: to send one so is to leave it out (RFC 6749 section 3.2). */
function fieldsOf(form: string): ReadonlyMap<string, string> {
  const parts = form === '' ? [] : form.split('&')
  if (parts.length > PARAMETERS_MAX) throw malformed(`more than ${PARAMETERS_MAX} parameters`)
  const fields = new Map<string, string>()
  for (const part of parts) {
    const cut = part.indexOf('=')
    const name = decoded(cut < 0 ? part : part.slice(0, cut))
    if (fields.has(name)) throw malformed('a parameter comes twice')
    fields.set(name, cut < 0 ? '' : decoded(part.slice(cut + 1)))
  }
  return new Map([...fields].filter(([, value]) => value !== ''))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('an escape is malformed')
  }
}

const malformed = (detail: string): Refusal => new Refusal('grant-invalid', { detail })

/** RFC 6749 section 5.2, by our code. */
const OAUTH: Readonly<Record<string, string>> = {
  'grant-invalid': 'invalid_request',
  'grant-unsupported': 'unsupported_grant_type',
  'client-refused': 'invalid_client',
  'scope-unknown': 'invalid_scope',
}

/** The error as clients of OAuth read it; what is none of theirs has no name there but that the request failed. */
export function oauthErrorOf({ code, detail, status }: Refusal): { error: string; error_description?: string } {
  const error = OAUTH[code] ?? (status >= 500 ? 'temporarily_unavailable' : 'invalid_request')
  return detail === undefined ? { error } : { error, error_description: detail }
}
