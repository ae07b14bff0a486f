import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { PAUSE_REASONS } from '../../participants/action.ts'
import type { PausableFeed } from '../../participants/feed-pause.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, Select } from '../parts/form.tsx'
import { Empty, Errors } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import { numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'

interface FeedPausesProps {
  feeds: readonly PausableFeed[]
  viewer: Viewer
  now: Date
  once: Uuid
  refusal?: Refusal | undefined
}

/** What a pause of each feed would keep from whom, before anybody proposes it; and its undoing. */
export const FeedPausesPage = (props: FeedPausesProps): VNode => (
  <>
    <p class="lead">
      A paused feed gives nothing out to anybody: no signals, and no corrections or withdrawals either. Cursors stay
      good, events keep their order, and what comes meanwhile waits. Look-ups go on. Pause and resumption take two
      persons each, and are entries of the log.
    </p>
    <Errors refusal={props.refusal} />
    {props.feeds.length === 0 && <Empty title="No feeds yet" />}
    {props.feeds.map((one) => (
      <Feed key={one.feed} {...props} one={one} />
    ))}
  </>
)

const Feed = ({ one, viewer, now, once }: FeedPausesProps & { one: PausableFeed }): VNode => {
  const { feed, kind, label, members, entries, paused } = one
  return (
    <section class="part" id={`feed-${feed}`} aria-label={label}>
      <h2>
        {label} {paused !== undefined && <Badge tone="warn">paused</Badge>}
      </h2>
      <Facts>
        <Fact name="audience">{kind}</Fact>
        <Fact name="feed">{feed}</Fact>
        <Fact name={paused === undefined ? 'would get nothing' : 'get nothing'}>{members.join(', ') || 'nobody'}</Fact>
        <Fact name="entries so far">{numberText(entries)}</Fact>
        {paused !== undefined && (
          <Fact name="paused">
            <Time at={paused.at} now={now} />, because of: {plain(paused.reason)}
          </Fact>
        )}
      </Facts>
      {paused === undefined ? (
        <Form action={links.proposePause()} csrf={viewer.csrf} once={once} class="fields">
          <input type="hidden" name="feed" value={feed} />
          <Select
            {...{ name: 'reason', label: 'Because of', id: `reason-${feed}` }}
            choices={PAUSE_REASONS.map((value) => ({ value, label: plain(value) }))}
          />
          <Button kind="danger">Propose to pause it</Button>
        </Form>
      ) : (
        <Form action={links.proposeResume()} csrf={viewer.csrf} once={once}>
          <input type="hidden" name="feed" value={feed} />
          <Button kind="primary">Propose to resume it</Button>
        </Form>
      )}
    </section>
  )
}
