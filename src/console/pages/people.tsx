import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { PARTNER_ROLES } from '../../participants/approval-rule.ts'
import type { ListedLogin } from '../../participants/login.ts'
import type { ListedPerson } from '../../participants/person.ts'
import { ROLES } from '../../participants/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Field, Form, Select } from '../parts/form.tsx'
import { hx, refusalsTo } from '../parts/hx.ts'
import { roleName } from '../parts/nav.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import { pseudonymOf, type Viewer } from '../viewer.ts'

export interface PersonSeen extends ListedPerson {
  logins: readonly ListedLogin[]
  /** When the person was last here, in a session that is still open. */
  lastSeen?: Date | undefined
}

interface PeopleProps {
  people: readonly PersonSeen[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed?: Readonly<Record<string, string>>
}

const COLUMNS = [
  { title: 'Name' },
  { title: 'Others see', hint: 'How people of other organisations see the person' },
  { title: 'Roles' },
  { title: 'Login', hint: 'Without one nobody can sign in as this person' },
  { title: 'Last here' },
]

/** Done, the page of the colleague follows; refused, the page stays as it is and says why. */
const ADDING = { ...hx({ post: links.addPerson(), target: '#errors', swap: 'none' }), ...refusalsTo('#errors') }

export const PeoplePage = ({ people, viewer, now, once, refusal, typed = {} }: PeopleProps): VNode => {
  const [here, left] = [people.filter(({ active }) => active), people.filter(({ active }) => !active)]
  return (
    <>
      <p class="lead">
        {here.length} {here.length === 1 ? 'person' : 'people'} of {viewer.organisation}
        {left.length > 0 && ` · ${left.length} left`}
      </p>
      <section class="part">
        <Table label={`People of ${viewer.organisation}`} columns={COLUMNS}>
          {here.map((person) => (
            <tr key={person.person_id} id={`person-${person.person_id}`} data-row>
              <td>
                <a href={links.person(person.person_id)} data-open-row>
                  {person.name}
                </a>
                {person.person_id === viewer.person && <span class="muted"> you</span>}
              </td>
              <td>
                <code>{pseudonymOf(person.person_id)}</code>
              </td>
              <td>
                {person.roles.length === 0 ? <span class="muted">none</span> : person.roles.map(roleName).join(', ')}
              </td>
              <td>
                {person.logins.length === 0 ? (
                  <Badge tone="warn" icon="alert" title="A node administrator lets an account be this person">
                    none
                  </Badge>
                ) : (
                  person.logins.length
                )}
              </td>
              <td>
                {person.lastSeen === undefined ? (
                  <span class="muted">not now</span>
                ) : (
                  <Time at={person.lastSeen} now={now} />
                )}
              </td>
            </tr>
          ))}
        </Table>
      </section>
      <section class="part narrow">
        <h2>Add a colleague</h2>
        <p>
          The person has no role yet, and cannot sign in before a node administrator says which account of your identity
          provider it is.
        </p>
        <Errors refusal={refusal} />
        <Form action={links.addPerson()} csrf={viewer.csrf} once={once} class="fields" exchange={ADDING}>
          <Field
            name="name"
            label="Name"
            value={typed['name']}
            required
            maxLength={120}
            hint="As colleagues know the person. Nobody outside your organisation sees it."
            error={errorOf(refusal, 'name')}
          />
          <Button kind="primary">Add</Button>
        </Form>
      </section>
    </>
  )
}

interface PersonProps {
  person: PersonSeen
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
}

export const PersonPage = ({ person, viewer, now, once, refusal }: PersonProps): VNode => {
  const self = person.person_id === viewer.person
  return (
    <>
      <Errors refusal={refusal} />
      <div class="columns">
        <section class="part">
          <h2>Who it is</h2>
          <Facts>
            <Fact name="others see">
              <code>{pseudonymOf(person.person_id)}</code> of {person.organisation}
            </Fact>
            <Fact name="last here">
              {person.lastSeen === undefined ? 'no open session' : <Time at={person.lastSeen} now={now} />}
            </Fact>
            <Fact name="logins">
              {person.logins.length === 0
                ? 'none: nobody can sign in as this person'
                : person.logins.map(({ login_id, issuer, subject }) => (
                    <div key={login_id}>
                      <code>{subject}</code> at {issuer}
                    </div>
                  ))}
            </Fact>
          </Facts>
        </section>
        <section class="part">
          <h2>Roles</h2>
          {self ? (
            <Note title="Nobody changes their own access. Ask another administrator of your organisation." />
          ) : (
            <Roles {...{ person, viewer, once }} />
          )}
        </section>
      </div>
      {!self && (
        <section class="part narrow danger-zone">
          <h2>End access</h2>
          <p>
            For someone who leaves, or whose account is in other hands. Open sessions end with their next request, roles
            and logins at once, and votes that are not yet carried out no longer count. It cannot be undone; whoever
            returns is added anew.
          </p>
          <div class="row">
            <Form action={links.endSessions(person.person_id)} csrf={viewer.csrf} once={once}>
              <Button>End sessions only</Button>
            </Form>
            <details class="confirm">
              <summary class="button button-danger">End all access …</summary>
              <Form action={links.leave(person.person_id)} csrf={viewer.csrf} once={once}>
                <p>
                  <strong>{person.name}</strong> will have no access any more.
                </p>
                <Button kind="danger">End all access of {person.name}</Button>
              </Form>
            </details>
          </div>
        </section>
      )}
    </>
  )
}

function Roles({ person, viewer, once }: { person: PersonSeen; viewer: Viewer; once: Uuid }): VNode {
  const grantable = PARTNER_ROLES.filter((role) => !person.roles.includes(role))
  return (
    <>
      {person.roles.length === 0 ? (
        <Empty title="No role yet">Without a role a person finds nothing but settings.</Empty>
      ) : (
        <ul class="rows">
          {person.roles.map((role) => (
            <li key={role}>
              <span>{roleName(role)}</span>
              <Form
                action={links.endRole(person.person_id)}
                csrf={viewer.csrf}
                label={`End the role ${roleName(role)}`}
              >
                <input type="hidden" name="role" value={role} />
                <Button>End</Button>
              </Form>
            </li>
          ))}
        </ul>
      )}
      {grantable.length > 0 && (
        <Form action={links.grantRole(person.person_id)} csrf={viewer.csrf} once={once} class="fields">
          <Select
            name="role"
            label="Grant a role"
            choices={grantable.map((role) => ({ value: role, label: roleName(role) }))}
          />
          <Button kind="primary">Grant</Button>
        </Form>
      )}
      <p class="muted">
        {ROLES.filter((role) => !PARTNER_ROLES.includes(role))
          .map(roleName)
          .join(', ')}
        : proposed by a node administrator, decided by another person.
      </p>
    </>
  )
}
