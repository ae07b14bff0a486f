import type { VNode } from 'preact'
import { links } from '../links.ts'
import { Button, Form } from '../parts/form.tsx'
import { Icon } from '../parts/icon.tsx'
import { KeyHint } from '../parts/own-keys.tsx'
import { spanText } from '../parts/text.tsx'
import { HOLD_WORDS } from '../words.ts'
import type { CaseView } from './case-view.ts'

/** Who works on the case, for how long yet, and how that changes. */
export function LeaseBar(view: CaseView): VNode | null {
  const { one, grip, viewer } = view
  if (one.state === 'held') return <Parked {...view} />
  if (one.state !== 'open') return null
  if (one.lease !== undefined && one.lease.holder !== viewer.pseudonym) return <Taken {...view} />
  if (one.lease === undefined && one.assigned_to !== undefined && one.assigned_to !== viewer.pseudonym)
    return <Taken {...view} />
  return grip?.live === true ? <Yours {...view} grip={grip} /> : <Free {...view} />
}

const Free = ({ one, viewer, grip }: CaseView): VNode => (
  <div class="lease" id="lease">
    <p>
      {grip !== undefined && 'Your time on this case is over; nobody came between. '}
      {one.assigned_to === viewer.pseudonym ? 'This case was handed to you. ' : ''}
      {grip === undefined && one.assigned_to === undefined && 'Nobody works on this case. '}
      Claim it to decide.
    </p>
    <Form action={links.claimCase(one.case)} csrf={viewer.csrf}>
      <Button kind="primary" keyName="c" id="claim">
        Claim
      </Button>
    </Form>
  </div>
)

const Taken = ({ one, viewer, now }: CaseView): VNode => (
  <div class="lease lease-taken" id="lease">
    <p>
      <Icon name="lock" />{' '}
      {one.lease === undefined ? (
        <>
          This case was handed to <strong>{one.assigned_to}</strong>.
        </>
      ) : (
        <>
          <strong>{one.lease.holder}</strong> works on this case, for another{' '}
          {spanText(Date.parse(one.lease.expires_at) - now.getTime())}.
        </>
      )}
    </p>
    {viewer.roles.includes('lead') && (
      <Form action={links.claimCase(one.case)} csrf={viewer.csrf}>
        <input type="hidden" name="lead" value="yes" />
        <Button keyName="c" title="Ends the colleague's lease; the log says so">
          Take over
        </Button>
      </Form>
    )}
  </div>
)

const Yours = ({ one, viewer, now, grip, colleagues }: CaseView & { grip: NonNullable<CaseView['grip']> }): VNode => (
  <div
    class="lease lease-yours"
    id="lease"
    data-lease={grip.expires_at}
    data-now={now.toISOString()}
    data-renew={links.keepCase(one.case)}
    data-leave={links.pageLeftCase(one.case)}
    data-token={grip.token}
    data-csrf={viewer.csrf}
  >
    <p>
      <strong>Yours</strong>, <span data-left>{spanText(Date.parse(grip.expires_at) - now.getTime())}</span> left
      <span class="lease-warning" data-warning hidden>
        <Icon name="clock" /> It ends soon: extend it to keep the case.
      </span>
    </p>
    <div class="lease-acts">
      <Form action={links.renewCase(one.case)} csrf={viewer.csrf}>
        <input type="hidden" name="token" value={grip.token} />
        <Button>Extend</Button>
      </Form>
      <Form action={links.leaveCase(one.case)} csrf={viewer.csrf}>
        <input type="hidden" name="token" value={grip.token} />
        <Button keyName="c">Let go</Button>
      </Form>
      <HoldForm one={one} viewer={viewer} grip={grip} />
      <HandOverForm one={one} viewer={viewer} grip={grip} colleagues={colleagues} />
    </div>
  </div>
)

type Held = Pick<CaseView, 'one' | 'viewer'> & { grip: NonNullable<CaseView['grip']> }

const HOURS = [1, 4, 8, 24] as const

const HoldForm = ({ one, viewer, grip }: Held): VNode => (
  <details class="lease-more">
    <summary class="button button-plain" data-key="h">
      Hold <KeyHint usual="h" />
    </summary>
    <Form action={links.holdCase(one.case)} csrf={viewer.csrf} class="lease-form">
      <Grip one={one} grip={grip} />
      <div class="field">
        <label for="hold-reason">Why it waits</label>
        <select id="hold-reason" name="reason" class="input">
          {Object.entries(HOLD_WORDS).map(([reason, label]) => (
            <option key={reason} value={reason}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="hold-hours">Hours until it comes back</label>
        <select id="hold-hours" name="hours" class="input">
          {HOURS.map((hours) => (
            <option key={hours} value={String(hours)}>
              {hours}
            </option>
          ))}
        </select>
      </div>
      <Button kind="primary">Park the case</Button>
    </Form>
  </details>
)

const HandOverForm = ({ one, viewer, grip, colleagues }: Held & Pick<CaseView, 'colleagues'>): VNode | null =>
  colleagues.length === 0 ? null : (
    <details class="lease-more">
      <summary class="button button-plain" data-key="m">
        Hand over <KeyHint usual="m" />
      </summary>
      <Form action={links.handOverCase(one.case)} csrf={viewer.csrf} class="lease-form">
        <Grip one={one} grip={grip} />
        <div class="field">
          <label for="hand-to">Colleague</label>
          <select id="hand-to" name="to" class="input">
            {colleagues.map(({ pseudonym, name }) => (
              <option key={pseudonym} value={pseudonym}>
                {pseudonym}, {name}
              </option>
            ))}
          </select>
        </div>
        <Button kind="primary">Hand over</Button>
      </Form>
    </details>
  )

/** What a change has to name. */
const Grip = ({ one, grip }: Pick<Held, 'one' | 'grip'>): VNode => (
  <>
    <input type="hidden" name="token" value={grip.token} />
    <input type="hidden" name="version" value={String(one.version)} />
  </>
)

const Parked = ({ one, viewer, now }: CaseView): VNode => (
  <div class="lease" id="lease">
    <p>
      Parked
      {one.hold_reason !== undefined &&
        `: ${(HOLD_WORDS as Record<string, string>)[one.hold_reason] ?? one.hold_reason}`}
      .{one.held_until !== undefined && ` Comes back in ${spanText(Date.parse(one.held_until) - now.getTime())}.`}
    </p>
    <Form action={links.resumeCase(one.case)} csrf={viewer.csrf}>
      <input type="hidden" name="version" value={String(one.version)} />
      <Button keyName="c">Take it back</Button>
    </Form>
  </div>
)
