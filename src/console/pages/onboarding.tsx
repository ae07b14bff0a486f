import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { CHECKLIST, type ChecklistItem, type ItemState } from '../../participants/checklist.ts'
import type { ListedItem, ListedOnboarding } from '../../participants/onboarding.ts'
import { PARTICIPANT_KIND } from '../../participants/schema.ts'
import { links } from '../links.ts'
import { Badge, type Tone } from '../parts/badge.tsx'
import { Button, Field, Form, Select } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import { holdsOne, type Viewer } from '../viewer.ts'

interface Shown {
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
  typed: Readonly<Record<string, string>>
}

const ITEM_WORDS: Readonly<Record<ChecklistItem, { title: string; what: string }>> = {
  agreement: { title: 'Agreement', what: 'The text that was signed, by the digest of exactly these bytes' },
  appeals: { title: 'Appeals', what: 'How people can object to what was done to their account' },
  human_review: { title: 'Human review', what: 'That a person looks before anything is done on a signal' },
  retention: { title: 'Retention', what: 'How long received signals are kept, and how they are erased' },
}

const STATE: Readonly<Record<ItemState, { tone: Tone; icon: 'ok' | 'clock' | 'cross'; label: string }>> = {
  open: { tone: 'neutral', icon: 'clock', label: 'open' },
  provided: { tone: 'accent', icon: 'clock', label: 'waits for governance' },
  accepted: { tone: 'ok', icon: 'ok', label: 'accepted' },
  returned: { tone: 'crit', icon: 'cross', label: 'returned' },
}

const COLUMNS = [
  { title: 'Organisation' },
  { title: 'Kind' },
  { title: 'Begun' },
  { title: 'Accepted' },
  { title: 'State' },
]

export const OnboardingsPage = ({ listed, ...shown }: Shown & { listed: readonly ListedOnboarding[] }): VNode => (
  <>
    <p class="lead">{listed.filter(({ outcome }) => outcome === undefined).length} under way</p>
    <section class="part">
      {listed.length === 0 ? (
        <Empty title="Nobody is being onboarded">
          A node administrator begins. What an organisation shows before it is admitted is kept here.
        </Empty>
      ) : (
        <Table label="Onboardings" columns={COLUMNS}>
          {listed.map((one) => (
            <tr key={one.onboarding} id={`onboarding-${one.onboarding}`} data-row>
              <td>
                <a href={links.onboarding(one.onboarding)} data-open-row>
                  {one.name}
                </a>{' '}
                <span class="muted">{one.slug}</span>
              </td>
              <td>{one.kind}</td>
              <td>
                <Time at={one.opened_at} now={shown.now} />
              </td>
              <td>
                {CHECKLIST.length - one.missing.length} of {CHECKLIST.length}
              </td>
              <td>{one.outcome ?? 'under way'}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
    {holdsOne(shown.viewer, ['node_admin']) && <Begin {...shown} />}
  </>
)

const Begin = ({ viewer, once, refusal, typed }: Shown): VNode => (
  <section class="part narrow">
    <h2>Begin with an organisation</h2>
    <Errors refusal={refusal} />
    <Form action={links.openOnboarding()} csrf={viewer.csrf} once={once} class="fields">
      <Field
        {...{ name: 'name', label: 'Name', required: true, maxLength: 80, value: typed['name'] }}
        error={errorOf(refusal, 'name')}
      />
      <Field
        {...{ name: 'slug', label: 'Short name', required: true, maxLength: 63, value: typed['slug'] }}
        hint="Stands in its certificates for good: letters a to z, digits and hyphens."
        error={errorOf(refusal, 'slug')}
      />
      <Select
        {...{ name: 'kind', label: 'Kind', value: typed['kind'] ?? 'platform' }}
        choices={Object.keys(PARTICIPANT_KIND).map((value) => ({ value, label: value }))}
      />
      <Button kind="primary">Begin</Button>
    </Form>
  </section>
)

interface OnboardingProps extends Shown {
  one: ListedOnboarding
  nameOf(person: Uuid): string
}

/** The checklist, then what can be done now. */
export const OnboardingPage = (props: OnboardingProps): VNode => {
  const { one, refusal, now } = props
  return (
    <>
      <p class="lead">
        {one.kind}, begun <Time at={one.opened_at} now={now} />
        {one.outcome !== undefined && ` · ${one.outcome}`}
      </p>
      <Errors refusal={refusal} />
      {CHECKLIST.map((item) => (
        <Item key={item} {...props} item={item} found={one.items.find((it) => it.item === item)} />
      ))}
      {one.outcome === undefined && holdsOne(props.viewer, ['node_admin']) && <Next {...props} />}
      <section class="part">
        <h2>After the admission</h2>
        <p>
          Invite its first system from its page under <a href={links.participants()}>Participants</a>: the one-time code
          is shown once, and the key works when its fingerprint was read back. A probation ends by two persons, once a
          conformance run (<code>aldis conformance</code>) has passed.
        </p>
      </section>
    </>
  )
}

function Item(props: OnboardingProps & { item: ChecklistItem; found: ListedItem | undefined }): VNode {
  const { one, item, found, viewer, once } = props
  const state = found?.state ?? 'open'
  const { tone, icon, label } = STATE[state]
  const isOpen = one.outcome === undefined
  return (
    <section class="part" id={`item-${item}`}>
      <h2>
        {ITEM_WORDS[item].title}{' '}
        <Badge tone={tone} icon={icon}>
          {label}
        </Badge>
      </h2>
      <p>{ITEM_WORDS[item].what}</p>
      {found !== undefined && <Shows {...props} found={found} />}
      {isOpen && state === 'provided' && holdsOne(viewer, ['governance']) && (
        <div class="row">
          {(['accepted', 'returned'] as const).map((verdict) => (
            <Form key={verdict} action={links.judgeItem(one.onboarding)} csrf={viewer.csrf} once={once}>
              <input type="hidden" name="item" value={item} />
              <input type="hidden" name="digest" value={found?.digest} />
              <input type="hidden" name="verdict" value={verdict} />
              <Button kind={verdict === 'accepted' ? 'primary' : 'danger'}>
                {verdict === 'accepted' ? 'Accept' : 'Return'}
              </Button>
            </Form>
          ))}
        </div>
      )}
      {isOpen && state !== 'accepted' && holdsOne(viewer, ['node_admin']) && <Provide {...props} />}
    </section>
  )
}

const Shows = ({ found, one, nameOf, now }: OnboardingProps & { found: ListedItem }): VNode => (
  <Facts>
    {found.version !== undefined && <Fact name="version">{found.version}</Fact>}
    {found.signatory !== undefined && <Fact name="signed by">{found.signatory}</Fact>}
    <Fact name="SHA-256">
      <Hash value={found.digest ?? ''} label={`digest of the document of ${one.slug}`} />
    </Fact>
    {found.provided_by !== undefined && found.provided_at !== undefined && (
      <Fact name="shown to">
        {nameOf(found.provided_by)} <Time at={found.provided_at} now={now} />
      </Fact>
    )}
    {found.judged_by !== undefined && found.judged_at !== undefined && (
      <Fact name="judged by">
        {nameOf(found.judged_by)} <Time at={found.judged_at} now={now} />
      </Fact>
    )}
  </Facts>
)

function Provide({ one, item, viewer, once, refusal, typed }: OnboardingProps & { item: ChecklistItem }): VNode {
  // Of the form that was refused, not of its neighbours.
  const own = typed['item'] === item
  const values: Shown['typed'] = own ? typed : {}
  const fault = own ? refusal : undefined
  return (
    <details open={fault !== undefined}>
      <summary>It was shown …</summary>
      <Form action={links.provideItem(one.onboarding)} csrf={viewer.csrf} once={once} class="fields">
        <input type="hidden" name="item" value={item} />
        <Field
          {...{ name: 'digest', id: `f-${item}-digest`, label: 'SHA-256 of the document', required: true }}
          {...{ maxLength: 64, width: 'wide' as const, value: values['digest'] }}
          hint="sha256sum FILE; the document itself is kept by you, not here."
          error={errorOf(fault, 'digest')}
        />
        {item === 'agreement' && (
          <>
            <Field
              {...{ name: 'version', id: `f-${item}-version`, label: 'Version', required: true, maxLength: 32 }}
              value={values['version']}
              error={errorOf(fault, 'version')}
            />
            <Field
              {...{ name: 'signatory', id: `f-${item}-signatory`, label: 'Office of who signed', required: true }}
              {...{ maxLength: 80, value: values['signatory'] }}
              hint="Such as general counsel. No name."
              error={errorOf(fault, 'signatory')}
            />
          </>
        )}
        <Button kind="primary">Record</Button>
      </Form>
    </details>
  )
}

const Next = ({ one, viewer, once }: OnboardingProps): VNode => (
  <section class="part narrow">
    <h2>Admission</h2>
    {one.missing.length > 0 ? (
      <Note title={`Not yet: ${one.missing.map((item) => ITEM_WORDS[item].title.toLowerCase()).join(', ')}`} />
    ) : (
      <Form action={links.askAdmission(one.onboarding)} csrf={viewer.csrf} once={once} class="fields">
        <p>Asks governance to admit it. Nothing has happened until that is approved and carried out.</p>
        <Field name="probation_days" label="Days of probation" value="30" inputMode="numeric" maxLength={3} required />
        <Button kind="primary">Ask for its admission</Button>
      </Form>
    )}
    <details class="confirm">
      <summary>It will not join …</summary>
      <Form action={links.abandonOnboarding(one.onboarding)} csrf={viewer.csrf} once={once}>
        <Button kind="danger">End the onboarding of {one.name}</Button>
      </Form>
    </details>
  </section>
)
