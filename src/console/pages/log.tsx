import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/form.tsx'
import { type LogHealth, type LogState, stateOf } from '../parts/log-strip.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'

export interface Witness {
  name: string
  size?: bigint | undefined
  cosigned_at?: Date | undefined
  missing_since?: Date | undefined
}

export interface LogProps {
  health: LogHealth
  origin: string
  vkey: string
  /** The newest published checkpoint, verbatim; absent before the first. */
  note: string | undefined
  witnesses: readonly Witness[]
  now: Date
  refusal?: Refusal | undefined
}

const SAYS: Readonly<Record<LogState, string>> = {
  ok: 'The log is written and signed as it should be.',
  late: 'The newest checkpoint is old, or a witness of the policy is missing. What is read and changed is still recorded.',
  halted: 'Nothing is signed until the operator has acted, and nothing that must be recorded is done.',
  none: 'No checkpoint has been published yet.',
}

export const LogPage = ({ health, origin, vkey, note, witnesses, now, refusal }: LogProps): VNode => {
  const state = stateOf(health, now)
  return (
    <>
      <Note tone={state === 'ok' ? 'ok' : state === 'halted' ? 'crit' : 'warn'} title={SAYS[state]}>
        {health.halted !== undefined && <p>{health.halted}</p>}
      </Note>
      <div class="columns">
        <section class="part">
          <h2>Newest checkpoint</h2>
          <Facts>
            <Fact name="log">{origin}</Fact>
            <Fact name="entries">{numberText(health.size)}</Fact>
            <Fact name="published">{health.at === undefined ? 'never' : <Time at={health.at} now={now} />}</Fact>
            <Fact name="root">{health.root === undefined ? 'none' : <Hash value={health.root} label="root" />}</Fact>
            <Fact name="key">
              <Hash value={vkey} label="key of the log" />
            </Fact>
          </Facts>
          {note !== undefined && (
            <details class="exact">
              <summary>The checkpoint as it was signed</summary>
              <pre class="bytes">{note}</pre>
            </details>
          )}
        </section>
        <section class="part">
          <h2>One entry</h2>
          <p>What anybody may know of an entry: its hash, and that it is under the checkpoint.</p>
          <Errors refusal={refusal} />
          <form method="get" action={links.findEntry()} class="fields" aria-label="Find an entry">
            <div class="field">
              <label for="f-index">Number of the entry</label>
              <input
                id="f-index"
                name="index"
                class="input input-narrow"
                type="text"
                inputMode="numeric"
                pattern="[0-9]{1,18}"
                required
                autoComplete="off"
                aria-describedby="f-index-hint"
                aria-invalid={errorOf(refusal, 'index') === undefined ? undefined : true}
              />
              <p class="hint" id="f-index-hint">
                {health.size === 0n ? 'There is none yet.' : `0 to ${health.size - 1n}.`}
              </p>
            </div>
            <Button kind="primary">Show</Button>
          </form>
        </section>
      </div>
      <section class="part">
        <h2>Witnesses</h2>
        {witnesses.length === 0 ? (
          <Empty title="This log has no witnesses">
            A node that showed two histories would be noticed only by participants who compare what they hold.
          </Empty>
        ) : (
          <WitnessTable witnesses={witnesses} now={now} />
        )}
      </section>
      <p class="muted">
        The node says this of itself. <code>aldis verify</code> and <code>aldis audit</code>, run at home, check it
        without trusting the node.
      </p>
    </>
  )
}

const WitnessTable = ({ witnesses, now }: { witnesses: readonly Witness[]; now: Date }): VNode => (
  <Table
    label="Witnesses of the log"
    columns={[{ title: 'Witness' }, { title: 'Cosigned up to', numeric: true }, { title: 'Last' }, { title: 'State' }]}
  >
    {witnesses.map(({ name, size, cosigned_at, missing_since }) => (
      <tr key={name}>
        <td>{name}</td>
        <td class="number">{size === undefined ? '–' : numberText(size)}</td>
        <td>{cosigned_at === undefined ? 'never' : <Time at={cosigned_at} now={now} />}</td>
        <td>
          {missing_since !== undefined ? (
            <Badge tone="warn" icon="alert">
              missing since {missing_since.toISOString().slice(0, 16).replace('T', ' ')} UTC
            </Badge>
          ) : cosigned_at === undefined ? (
            <Badge>not heard of yet</Badge>
          ) : (
            <Badge tone="ok" icon="ok">
              answers
            </Badge>
          )}
        </td>
      </tr>
    ))}
  </Table>
)
