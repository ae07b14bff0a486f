import type { VNode } from 'preact'
import type { SightQuery, SightResult } from '../../governance/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { SIGNAL_TYPE, TLP } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Field, Select } from '../parts/form.tsx'
import { Errors, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'

interface SightProps {
  asked: Partial<SightQuery>
  sight: SightResult | undefined
  sources: readonly string[]
  audiences: readonly { audience_id: Uuid; label: string }[]
  refusal?: Refusal | undefined
}

/** A question to the rules that decide, and their answer for everybody. */
export const SightPage = (props: SightProps): VNode => (
  <>
    <p class="lead">
      Who would be given a signal, and by which rule the others are not. The rules are those of the exchange itself.
    </p>
    <Errors refusal={props.refusal} />
    <div class="columns">
      <Ask {...props} />
      <Suppose {...props} />
    </div>
    {props.sight !== undefined && <Answer sight={props.sight} />}
  </>
)

const choices = (values: readonly string[]) => values.map((value) => ({ value, label: value }))

const Ask = ({ asked, sources }: SightProps): VNode => (
  <section class="part">
    <h2>A signal that there is</h2>
    <form method="get" action={links.sight()} class="fields">
      <Select {...{ name: 'source', id: 'f-of', label: 'Source', value: asked.source }} choices={choices(sources)} />
      <Field name="signal" label="Id of the signal" value={asked.signal} required maxLength={36} width="wide" />
      <Button kind="primary">Ask</Button>
    </form>
    <p class="muted">The look is recorded. What the signal says is not shown.</p>
  </section>
)

const Suppose = ({ asked, sources, audiences }: SightProps): VNode => (
  <section class="part">
    <h2>One that its source would share</h2>
    <form method="get" action={links.sight()} class="fields">
      <Select {...{ name: 'source', id: 'f-by', label: 'Source', value: asked.source }} choices={choices(sources)} />
      <Select
        {...{ name: 'audience', label: 'Audience', value: asked.audience }}
        choices={audiences.map(({ audience_id, label }) => ({ value: audience_id, label }))}
      />
      <Select {...{ name: 'tlp', label: 'TLP', value: asked.tlp ?? 'amber' }} choices={choices(TLP)} />
      <Select
        {...{ name: 'type', label: 'Type', value: asked.type ?? 'url' }}
        choices={choices(Object.keys(SIGNAL_TYPE))}
      />
      <Button>Suppose</Button>
    </form>
  </section>
)

const COLUMNS = [{ title: 'Participant' }, { title: 'Sees it' }, { title: 'Why' }]

const Answer = ({ sight }: { sight: SightResult }): VNode => (
  <section class="part" id="answer">
    <h2>{sight.participants.filter(({ sees }) => sees).length} would see it</h2>
    <Facts>
      <Fact name="source">{sight.source}</Fact>
      <Fact name="shared with">{sight.shared_with}</Fact>
      <Fact name="TLP">{sight.tlp}</Fact>
      <Fact name="state">{sight.state === 'none' ? 'supposed' : sight.state}</Fact>
    </Facts>
    {sight.refused !== null && (
      <Note tone="warn" title="The node would not take it from this source">
        <code>{sight.refused}</code>
      </Note>
    )}
    <Table label="Who sees it" columns={COLUMNS}>
      {sight.participants.map(({ participant, sees, rule, asks }) => (
        <tr key={participant} data-row>
          <td>{participant}</td>
          <td>
            {sees ? (
              <Badge tone="ok" icon="ok">
                yes
              </Badge>
            ) : (
              <Badge icon="cross">no</Badge>
            )}
          </td>
          <td>{rule === null ? 'every rule holds' : `rule ${rule}: ${asks ?? ''}`}</td>
        </tr>
      ))}
    </Table>
  </section>
)
