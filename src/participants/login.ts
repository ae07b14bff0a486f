import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type ActContext, change, inRole, log } from './act.ts'
import * as store from './login-store.ts'
import * as people from './people-store.ts'
import type { Role } from './schema.ts'

/** OpenID Connect Core section 2: at most 255 characters of ASCII; control characters would only be hidden in lists. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/
const ISSUER_MAX = 255

/** An account at an identity provider, as its tokens name it. */
export interface LoginName {
  issuer: string
  subject: string
}

export interface ListedLogin extends LoginName {
  login_id: Uuid
  person_id: Uuid
  given_at: Date
}

/** Whose login it is, and what the programme lets that person do. */
export interface KnownLogin {
  login_id: Uuid
  person_id: Uuid
  organisation: string
  name: string
  roles: readonly Role[]
}

export interface Logins {
  /** Lets an account act as a person; `by` is a node administrator. An account is one person's at a time. */
  giveLogin(by: Uuid, login: LoginName & { person: Uuid }): Promise<{ login_id: Uuid }>
  /** Alone and at once; sessions under it end with their next request. */
  endLogin(by: Uuid, login_id: Uuid): Promise<void>
  listLogins(): Promise<ListedLogin[]>
  /** Undefined for an account that is nobody's: an identity provider alone lets nobody in. */
  findLogin(name: LoginName): Promise<KnownLogin | undefined>
}

export function createLogins(context: ActContext): Logins {
  return {
    giveLogin: (by, { person, ...name }) =>
      change(context, async (tx, at) => {
        await inRole(tx, by, ['node_admin'])
        refuseOdd(name)
        if ((await people.personInRole(tx, person)) === undefined)
          throw new Refusal('not-found', { detail: 'there is no such person' })
        if ((await store.liveLogin(tx, name)) !== undefined)
          throw new Refusal('state-conflict', { detail: 'this account is a person already; end that login first' })
        const login_id = newId(at)
        const event = await log(
          context,
          { tx, act: { at, person: by } },
          { kind: 'login.given', fields: { whom: person, login: login_id, digest: loginDigest(login_id, name) } },
        )
        await store.insertLogin(tx, { login_id, person_id: person, ...name, given_at: at, last_event: event })
        return { login_id }
      }),
    endLogin: (by, login_id) =>
      change(context, async (tx, at) => {
        await inRole(tx, by, ['node_admin'])
        const login = await store.loginById(tx, login_id)
        if (login === undefined) throw new Refusal('not-found', { detail: 'there is no such login' })
        const event = await log(
          context,
          { tx, act: { at, person: by } },
          { kind: 'login.ended', fields: { whom: login.person_id, login: login_id } },
        )
        await store.endLogin(tx, login_id, { ended_at: at, last_event: event })
      }),
    listLogins: () => store.liveLogins(context.admin),
    findLogin: async (name) => {
      const login = await store.liveLogin(context.admin, name)
      if (login === undefined) return undefined
      const held = await people.presentRoles(context.admin)
      return { ...login, roles: held.get(login.person_id) ?? [] }
    },
  }
}

/** Fixes account and person in the log without naming the account there; salted by the login's id. */
export const loginDigest = (login_id: Uuid, { issuer, subject }: LoginName): string =>
  toBase64Url(sha256(utf8(`${login_id}\n${issuer}\n${subject}`)))

function refuseOdd({ issuer, subject }: LoginName): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const plain = url?.protocol === 'https:' && url.search === '' && url.hash === '' && url.username === ''
  if (!plain || issuer.length > ISSUER_MAX)
    throw new Refusal('validation-failed', { detail: 'an issuer is an https URL without query, as its tokens name it' })
  if (!SUBJECT.test(subject))
    throw new Refusal('validation-failed', { detail: 'a subject is 1 to 255 printable ASCII characters' })
}
