import type { VNode } from 'preact'
import { type Href, links } from '../links.ts'
import type { OwnNotice } from '../notices.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form } from '../parts/form.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager } from '../parts/table.tsx'
import { spanText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

export interface NoticesView {
  viewer: Viewer
  notices: readonly OwnNotice[]
  /** Of all, not of the page. */
  unread: number
  first: Href | undefined
  next: Href | undefined
  now: Date
}

interface Words {
  icon: IconName
  title(notice: OwnNotice): string
  /** What to do, or what follows. */
  follows: string
}

const by = ({ by: who }: OwnNotice, otherwise: string): string => who ?? otherwise

const WORDS: Readonly<Record<OwnNotice['kind'], Words>> = {
  'case.handed_over': {
    ...{ icon: 'arrow', title: () => 'A case was handed to you' },
    follows: 'Nobody else is given it while it is yours.',
  },
  'case.taken_over': {
    ...{ icon: 'arrow', title: (one) => `${by(one, 'A lead')} took your case over` },
    follows: 'Nothing of what you had decided was lost; what you had only typed is on your page.',
  },
  'proposal.waiting': {
    ...{ icon: 'clock', title: (one) => `${by(one, 'A colleague')} asks for a second person` },
    follows: 'Look at the evidence first, then approve or deny.',
  },
  'proposal.approved': {
    ...{ icon: 'ok', title: (one) => `${by(one, 'A colleague')} approved your proposal` },
    follows: 'It is delivered after the grace.',
  },
  'proposal.denied': {
    ...{ icon: 'cross', title: (one) => `${by(one, 'A colleague')} denied your proposal` },
    follows: 'The case is back in the queue; its timeline says why.',
  },
  'queue.at_risk': {
    icon: 'alert',
    title: ({ count = 0 }) => `${count === 1 ? 'One case is' : `${count} cases are`} late, or will be within the hour`,
    follows: 'The queue has them first.',
  },
  'question.asked': {
    ...{ icon: 'info', title: (one) => `${by(one, 'A recipient')} needs information on a signal of yours` },
    follows: 'Its case waits until you have answered.',
  },
  'dispute.opened': {
    ...{ icon: 'alert', title: (one) => `${by(one, 'A recipient')} disputes a signal of yours` },
    follows: 'Everybody sees when an answer is late.',
  },
  'signal.held': {
    ...{ icon: 'alert', title: () => 'A signal of yours is held' },
    follows: 'Recipients stopped using it until it is released or withdrawn.',
  },
  'credential.ends': {
    ...{ icon: 'lock', title: () => 'A key of your organisation ends soon' },
    follows: 'Renew it with aldis renew, or enrol another; afterwards nothing connects with it.',
  },
  'approval.waiting': {
    ...{ icon: 'clock', title: () => 'An approval waits for you' },
    follows: 'It takes a fresh, stronger sign-in.',
  },
}

/** What is new for one person: codes and facts, no value, no note, no name of others. */
export const NoticesPage = ({ viewer, notices, unread, first, next, now }: NoticesView): VNode => (
  <div class="notices">
    <p class="lead">What waits for you, and what happened to what is yours. A notice goes when its reason does.</p>
    {notices.length === 0 ? (
      <Empty title="Nothing is new for you">You are told here, and by the bell on every page.</Empty>
    ) : (
      <>
        <div class="notices-head">
          <span>{unread === 0 ? 'All of them were seen' : `${unread} not seen yet`}</span>
          {unread > 0 && (
            <Form action={links.seeNotices()} csrf={viewer.csrf}>
              <input type="hidden" name="upto" value={String(now.getTime())} />
              <Button>Mark all as seen</Button>
            </Form>
          )}
        </div>
        <ul class="notices-list">
          {notices.map((one) => (
            <Row key={one.id} one={one} now={now} />
          ))}
        </ul>
      </>
    )}
    <Pager label="Pages of notices" first={first} next={next} />
  </div>
)

const Row = ({ one, now }: { one: OwnNotice; now: Date }): VNode => {
  const { icon, title, follows } = WORDS[one.kind]
  return (
    <li class={one.unread ? 'notice-row notice-new' : 'notice-row'} data-row>
      <Icon name={icon} />
      <div>
        <p>
          <a href={one.href} data-open-row>
            {title(one)}
          </a>{' '}
          {one.about !== '' && <code class="muted">…{one.about.slice(-6)}</code>}{' '}
          {one.unread && <Badge tone="accent">new</Badge>}
        </p>
        <p class="hint">{follows}</p>
      </div>
      <div class="notice-when">
        <Time at={one.at} now={now} />
        {one.due !== undefined && <Due due={one.due} now={now} />}
      </div>
    </li>
  )
}

const Due = ({ due, now }: { due: Date; now: Date }): VNode => {
  const ms = due.getTime() - now.getTime()
  return (
    <span class={ms <= 0 ? 'due due-late' : 'due'}>
      {ms <= 0 && <Icon name="alert" />}
      {ms <= 0 ? `late ${spanText(ms)}` : `due in ${spanText(ms, 2)}`}
    </span>
  )
}
