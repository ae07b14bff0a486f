import type { Fold, Programme, Row } from './programme.ts'

const person: Fold = ({ people }, { text }) => {
  people.set(text('whom'), text('organisation'))
  return [{ of: `person ${text('whom')}`, state: { organisation: text('organisation'), status: 'active' } }]
}

const role: Fold = ({ roles, endedRoles }, { text, at }) => {
  const name = `${text('whom')} ${text('role')}`
  if (text('what') === 'granted') {
    roles.set(name, at)
    return [{ of: `role ${name} ${at}`, state: { ended: null } }]
  }
  const granted = roles.get(name)
  // Nobody votes by the end of a role that was not held.
  if (roles.delete(name)) endedRoles.set(name, Date.parse(at))
  return [{ of: `role ${name} ${granted ?? ''}`, state: { ended: at } }]
}

const loginGiven: Fold = ({ logins }, { text }) => {
  const known = { person: text('whom'), digest: text('digest') }
  logins.set(text('login'), known)
  return [{ of: `login ${text('login')}`, state: { ...known, ended: null } }]
}

const loginEnded: Fold = (programme, { text, at }) => endedLogin(programme, text('login'), at)

function endedLogin({ logins }: Programme, login: string, at: string): Row[] {
  const known = logins.get(login)
  logins.delete(login)
  return [{ of: `login ${login}`, state: { person: '', digest: '', ...known, ended: at } }]
}

/** Roles and logins end with whoever leaves. */
const personLeft: Fold = (programme, { text, at }) => {
  const [whom, organisation] = [text('whom'), text('organisation')]
  const roles = [...programme.roles].filter(([name]) => name.startsWith(`${whom} `))
  for (const [name] of roles) {
    programme.roles.delete(name)
    programme.endedRoles.set(name, Date.parse(at))
  }
  const logins = [...programme.logins].filter(([, { person }]) => person === whom)
  return [
    { of: `person ${whom}`, state: { organisation, status: 'left' } },
    ...roles.map(([name, granted]) => ({ of: `role ${name} ${granted}`, state: { ended: at } })),
    ...logins.flatMap(([login]) => endedLogin(programme, login, at)),
  ]
}

/** Who is who and may do what, as entries make it. */
export const PEOPLE_FOLDS: Readonly<Record<string, Fold>> = {
  'person.added': person,
  'person.left': personLeft,
  'login.given': loginGiven,
  'login.ended': loginEnded,
  'role.changed': role,
}
