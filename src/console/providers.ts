import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { StartRefused } from '../kernel/errors.ts'
import { firstFault, SlugSchema } from '../kernel/schema.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { ROLES, type Role } from '../participants/schema.ts'

const closed = { additionalProperties: false } as const
const Text = Type.String({ minLength: 1, maxLength: 255 })

const ProviderFile = Type.Object(
  {
    providers: Type.Array(
      Type.Object(
        {
          /** In addresses of the console: `/sign-in/<name>/callback` is the redirect URI. */
          name: SlugSchema,
          /** What people choose at sign-in. */
          label: Text,
          issuer: Type.String({ pattern: '^https://[^\\s?#]{1,240}$' }),
          client_id: Text,
          client_secret_file: Text,
          /** Of the ID token: a string, or a list of them. */
          roles_claim: Text,
          /** From a value of that claim to a role; without it the values are the roles' own names. */
          roles: Type.Optional(Type.Record(Text, Type.Enum([...ROLES]))),
          /** What is asked for, and must be answered, where an act takes a step-up. */
          step_up_acr: Text,
          /** PEM of a certificate authority that only this provider is verified with. */
          ca_file: Type.Optional(Text),
        },
        closed,
      ),
      { minItems: 1, maxItems: 64 },
    ),
  },
  closed,
)

const VALIDATOR = Compile(ProviderFile)
type Written = Static<typeof ProviderFile>['providers'][number]

/** An identity provider that people may sign in through. */
export interface Provider {
  name: string
  label: string
  issuer: string
  clientId: string
  clientSecret: string
  rolesClaim: string
  roles: Readonly<Record<string, Role>> | undefined
  stepUpAcr: string
  /** PEM; undefined where the system's own authorities are to be trusted. */
  ca: string | undefined
}

/** Reads the file of `OIDC_PROVIDERS`; whatever is wrong in it is named by its place, and no value of it is repeated. */
export function readProviders(path: string): readonly Provider[] {
  const written = parsed(path)
  const providers = written.map((one, i) => providerOf(path, one, `/providers/${i}`))
  for (const field of ['name', 'issuer'] as const) {
    if (new Set(providers.map((one) => one[field])).size < providers.length)
      throw refused(`two providers have one ${field}`)
  }
  return providers
}

function parsed(path: string): readonly Written[] {
  let value: unknown
  try {
    value = parseStrict(readFileSync(path))
  } catch (cause) {
    throw refused('names no file of strict JSON that can be read', cause)
  }
  if (VALIDATOR.Check(value)) return value.providers
  const { pointer, detail } = firstFault(VALIDATOR, value)
  throw refused(`${pointer === '' ? 'the whole' : pointer}: ${detail}`)
}

function providerOf(path: string, written: Written, at: string): Provider {
  const read = (name: 'client_secret_file' | 'ca_file', file: string): string => {
    const text = textOf(resolve(dirname(path), file))
    if (text === undefined) throw refused(`${at}/${name}: names no file that can be read and holds something`)
    return text
  }
  return {
    ...{ name: written.name, label: written.label, issuer: written.issuer, clientId: written.client_id },
    clientSecret: read('client_secret_file', written.client_secret_file),
    rolesClaim: written.roles_claim,
    roles: written.roles,
    stepUpAcr: written.step_up_acr,
    ca: written.ca_file === undefined ? undefined : read('ca_file', written.ca_file),
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

const refused = (detail: string, cause?: unknown): StartRefused =>
  new StartRefused(`settings:\n  OIDC_PROVIDERS: ${detail}`, { cause })

/** The roles that a token's claim names; what is none of ours is passed over. */
export function claimedRoles({ rolesClaim, roles }: Pick<Provider, 'rolesClaim' | 'roles'>, claims: object): Role[] {
  const claim = (claims as Readonly<Record<string, unknown>>)[rolesClaim]
  const values = Array.isArray(claim) ? claim : [claim]
  const named = values.flatMap((value: unknown) => (typeof value === 'string' ? [value] : []))
  const mapped =
    roles === undefined ? named : named.flatMap((value) => (Object.hasOwn(roles, value) ? roles[value] : []))
  return ROLES.filter((role) => mapped.includes(role))
}
