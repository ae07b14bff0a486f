import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import {
  CONFORMANCE_STEPS,
  type ConformanceResult,
  type ConformanceStep,
  type SandboxAsk,
  type SandboxDone,
} from '../../sandbox/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { CommandLine } from '../parts/command.tsx'
import { DeveloperViews } from '../parts/developer-views.tsx'
import { Button, Field, Form } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

type Asked = SandboxAsk['do']

export interface SandboxView {
  viewer: Viewer
  /** Whether this node is a sandbox. */
  isOpen: boolean
  runs: readonly ConformanceResult[]
  now: Date
  done?: { asked: Asked; told: SandboxDone } | undefined
  /** What was typed, and why it was refused. */
  refused?: { asked: string; signal: string; refusal: Refusal } | undefined
}

const DONE: Readonly<Record<Asked, string>> = {
  signal: 'The simulated participant shared a signal',
  revision: 'It corrected its signal',
  withdrawal: 'It withdrew its signal',
  erasure: 'Its signal is erased',
  feedback: 'It gave feedback on yours: seen there',
}

const STEP_WORDS: Readonly<Record<ConformanceStep, string>> = {
  clock: 'The clock is right',
  mutual_tls: 'Mutual TLS',
  admitted_key: 'The key is enrolled',
  submit: 'A signal is shared',
  sync_verified: 'The mirror verifies',
  lookup: 'A look-up finds',
  feedback: 'Feedback is given',
  withdrawal_obeyed: 'A withdrawal is obeyed',
  erasure_acknowledged: 'An erasure is acknowledged',
  webhook_answered: 'A webhook is answered',
}

/** A simulated participant to try programs against, and how they did. */
export const SandboxPage = (view: SandboxView): VNode => (
  <>
    <p class="lead">
      A sandbox has a simulated participant that does by the API what you ask for, so that you see what your programs
      make of it.
    </p>
    <DeveloperViews current="sandbox" />
    <Errors refusal={view.refused?.refusal} />
    {view.isOpen ? <Open {...view} /> : <Closed />}
    <section class="part" aria-labelledby="runs-title">
      <h2 id="runs-title">Conformance runs</h2>
      {view.runs.length === 0 ? (
        <Empty title="None yet">Your programs have not gone through the exchange step by step.</Empty>
      ) : (
        view.runs.map((run, i) => <Run key={run.run} run={run} now={view.now} isNewest={i === 0} />)
      )}
      <CommandLine label="A run" command="aldis conformance" />
    </section>
  </>
)

const Closed = (): VNode => (
  <Note title="This node is no sandbox">
    <p>
      It serves real participants, and nothing is simulated here. Ask the node's operator for a sandbox of the
      programme: a node of its own, with its own keys and enrolments, that is started with <code>SANDBOX=on</code>. On
      your own machine <code>npm run demo</code> starts one.
    </p>
  </Note>
)

const Open = ({ viewer, done, refused }: SandboxView): VNode => {
  const { asked } = refused ?? {}
  const theirs = asked === 'revision' || asked === 'withdrawal' || asked === 'erasure'
  return (
    <>
      {done !== undefined && <Done {...done} />}
      <section class="part" aria-labelledby="ask-title">
        <h2 id="ask-title">Ask for a signal</h2>
        <Form action={links.askSandbox()} csrf={viewer.csrf} label="Ask for a signal">
          <Button kind="primary" name="do" value="signal">
            Share a signal with me
          </Button>
        </Form>
      </section>
      <section class="part" aria-labelledby="theirs-title">
        <h2 id="theirs-title">Have its signal changed</h2>
        <Form
          action={links.askSandbox()}
          csrf={viewer.csrf}
          class="fields"
          label="A signal of the simulated participant"
        >
          <Field
            {...{ name: 'signal', id: 'f-theirs', label: 'Its signal', required: true, maxLength: 36 }}
            value={done?.told.signal ?? (theirs ? refused?.signal : undefined)}
            hint="the id that it was shared under"
            error={theirs ? errorOf(refused?.refusal, 'signal') : undefined}
          />
          <p class="actions">
            <Button name="do" value="revision">
              Correct it
            </Button>
            <Button name="do" value="withdrawal">
              Withdraw it
            </Button>
            <Button name="do" value="erasure" kind="danger">
              Erase it
            </Button>
          </p>
        </Form>
      </section>
      <section class="part" aria-labelledby="mine-title">
        <h2 id="mine-title">Have yours answered</h2>
        <Form action={links.askSandbox()} csrf={viewer.csrf} class="fields" label="A signal of yours">
          <Field
            {...{ name: 'signal', id: 'f-mine', label: 'Your signal', required: true, maxLength: 36 }}
            value={asked === 'feedback' ? refused?.signal : undefined}
            hint="one that the simulated participant receives"
            error={asked === 'feedback' ? errorOf(refused?.refusal, 'signal') : undefined}
          />
          <Button name="do" value="feedback">
            Give feedback
          </Button>
        </Form>
      </section>
    </>
  )
}

const Done = ({ asked, told }: NonNullable<SandboxView['done']>): VNode => (
  <section class="part" aria-label="What it did">
    <Note tone="ok" title={DONE[asked]}>
      It reaches your feeds with the next checkpoint.
    </Note>
    <Facts>
      <Fact name="signal">
        <Hash value={told.signal} label="signal" whole />
      </Fact>
      {told.raw !== undefined && (
        <Fact name="it is of">
          <Hash value={told.raw} label="raw value" whole />
        </Fact>
      )}
    </Facts>
  </section>
)

const Run = ({ run, now, isNewest }: { run: ConformanceResult; now: Date; isNewest: boolean }): VNode => {
  const passed = CONFORMANCE_STEPS.filter((step) => run.steps[step] === 'pass').length
  return (
    <details open={isNewest}>
      <summary>
        <Time at={new Date(run.at)} now={now} />{' '}
        <Badge tone={run.passed ? 'ok' : 'crit'} icon={run.passed ? 'ok' : 'cross'}>
          {run.passed ? 'passed' : `failed: ${passed} of ${CONFORMANCE_STEPS.length} steps passed`}
        </Badge>
      </summary>
      <Table label={`Steps of run ${run.run}`} columns={[{ title: 'Step' }, { title: 'Outcome' }]}>
        {CONFORMANCE_STEPS.map((step) => (
          <tr key={step}>
            <td>{STEP_WORDS[step]}</td>
            <td>
              <Badge tone={run.steps[step] === 'pass' ? 'ok' : 'crit'}>
                {run.steps[step] === 'pass' ? 'passed' : 'failed'}
              </Badge>
            </td>
          </tr>
        ))}
      </Table>
    </details>
  )
}
