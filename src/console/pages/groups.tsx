import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { ListedParticipant } from '../../participants/directory.ts'
import type { GroupEffect, ListedGroup } from '../../participants/group.ts'
import { seesSignals } from '../../participants/policy.ts'
import { links } from '../links.ts'
import { Button, Field, Form, LinkButton, Select } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { numberText } from '../parts/text.tsx'
import { holdsOne, type Viewer } from '../viewer.ts'
import { AtField } from './scheduled.tsx'

interface Shown {
  viewer: Viewer
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

interface GroupsProps extends Shown {
  groups: readonly ListedGroup[]
  participants: readonly ListedParticipant[]
}

const COLUMNS = [{ title: 'Group' }, { title: 'Members', numeric: true }, { title: 'Mode' }, { title: 'Who' }]

export const GroupsPage = (props: GroupsProps): VNode => (
  <>
    <p class="lead">
      Subsets of the programme that share among themselves. Whoever is in none shares with all or with those it names.
    </p>
    <section class="part">
      {props.groups.length === 0 ? (
        <Empty title="There is no group yet">
          A node administrator proposes one here, and another person approves it.
        </Empty>
      ) : (
        <Table label="Groups" columns={COLUMNS}>
          {props.groups.map(({ slug, name, mode, members }) => (
            <tr key={slug} id={`group-${slug}`} data-row>
              <td>
                <a href={links.group(slug)} data-open-row>
                  {name}
                </a>{' '}
                <span class="muted">{slug}</span>
              </td>
              <td class="number">{members.length}</td>
              <td>{mode}</td>
              <td>{members.join(', ')}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
    {holdsOne(props.viewer, ['node_admin']) && <Make {...props} />}
  </>
)

const Make = ({ viewer, once, refusal, typed, participants }: GroupsProps): VNode => (
  <section class="part narrow">
    <h2>Make a group</h2>
    <Errors refusal={refusal} />
    <Form action={links.makeGroup()} csrf={viewer.csrf} once={once} class="fields">
      <Field
        {...{ name: 'name', label: 'Name', required: true, maxLength: 80, value: typed['name'] }}
        error={errorOf(refusal, 'name')}
      />
      <Field
        {...{ name: 'slug', label: 'Short name', required: true, maxLength: 63, value: typed['slug'] }}
        error={errorOf(refusal, 'slug')}
      />
      <Select
        {...{ name: 'mode', label: 'Mode', value: typed['mode'] ?? 'full' }}
        choices={[
          { value: 'full', label: 'full: members match at home' },
          { value: 'sealed', label: 'sealed: what matches is opened one by one' },
        ]}
      />
      <Members participants={participants} chosen={new Set()} />
      <AtField refusal={refusal} value={typed['effective_at']} />
      <Button kind="primary">Ask governance</Button>
    </Form>
  </section>
)

const Members = ({
  participants,
  chosen,
}: {
  participants: readonly ListedParticipant[]
  chosen: ReadonlySet<string>
}): VNode => (
  <fieldset>
    <legend>Members</legend>
    {participants
      .filter(({ slug, kind, status }) => chosen.has(slug) || (status === 'active' && seesSignals(kind)))
      .map(({ slug, name }) => (
        <label key={slug} class="check">
          <input type="checkbox" name="members[]" value={slug} checked={chosen.has(slug)} /> {name}{' '}
          <span class="muted">{slug}</span>
        </label>
      ))}
  </fieldset>
)

interface GroupProps extends Shown {
  group: ListedGroup
  participants: readonly ListedParticipant[]
}

/** Who is in it, and the choice of who is to be. */
export const GroupPage = ({ group, participants, viewer, once, refusal }: GroupProps): VNode => (
  <>
    <Errors refusal={refusal} />
    <section class="part">
      <h2>Members</h2>
      {holdsOne(viewer, ['node_admin']) ? (
        <Form action={links.previewGroup(group.slug)} csrf={viewer.csrf} class="fields">
          <Members participants={participants} chosen={new Set(group.members)} />
          <Button kind="primary">See what a change would do</Button>
        </Form>
      ) : (
        <p>{group.members.join(', ') || 'nobody'}</p>
      )}
    </section>
    {holdsOne(viewer, ['node_admin']) && (
      <section class="part narrow danger-zone">
        <h2>End the group</h2>
        <p>
          For good: everybody leaves and keeps what was received, what is live in it reaches nobody any more, and its
          name is not used again.
        </p>
        <details class="confirm">
          <summary class="button button-danger">End it …</summary>
          <Form action={links.endGroup(group.slug)} csrf={viewer.csrf} once={once}>
            <Button kind="danger">Ask governance to end {group.name}</Button>
          </Form>
        </details>
      </section>
    )}
  </>
)

interface EffectProps extends Shown {
  group: ListedGroup
  effect: GroupEffect
  join: readonly string[]
  leave: readonly string[]
}

/** The difference and what it brings, before anybody is asked. */
export const GroupEffectPage = ({ group, effect, join, leave, viewer, once, refusal, typed }: EffectProps): VNode => (
  <div class="columns">
    <section class="part">
      <h2>What would change</h2>
      <Facts>
        <Fact name="join">{join.join(', ') || 'nobody'}</Fact>
        <Fact name="leave">{leave.join(', ') || 'nobody'}</Fact>
        <Fact name="before">{effect.before.join(', ') || 'nobody'}</Fact>
        <Fact name="after">{effect.after.join(', ') || 'nobody'}</Fact>
        {join.length > 0 && (
          <Fact name="given to who joins">{numberText(effect.history)} entries that were shared before</Fact>
        )}
        {leave.length > 0 && <Fact name="who leaves">keeps what was received, and is given its ends alone</Fact>}
      </Facts>
      {effect.widens && (
        <Note tone="warn" title="It widens whom old signals reach">
          Their sources shared with {effect.before.length} members. Without history included nobody is taken in: make
          another group instead, if only what comes is meant.
        </Note>
      )}
    </section>
    <section class="part decide" aria-labelledby="ask-title">
      <h2 id="ask-title">Ask</h2>
      <Errors refusal={refusal} />
      <Form action={links.changeGroup(group.slug)} csrf={viewer.csrf} once={once} class="stack">
        {join.map((slug) => (
          <input key={slug} type="hidden" name="join[]" value={slug} />
        ))}
        {leave.map((slug) => (
          <input key={slug} type="hidden" name="leave[]" value={slug} />
        ))}
        {effect.widens && (
          <label class="check">
            <input type="checkbox" name="history" value="included" /> Who joins is given {numberText(effect.history)}{' '}
            entries of its history
          </label>
        )}
        <AtField refusal={refusal} value={typed['effective_at']} />
        <Button kind="primary">Ask governance</Button>
      </Form>
      <LinkButton href={links.group(group.slug)}>Choose anew</LinkButton>
    </section>
  </div>
)
