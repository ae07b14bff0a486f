import type { VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import { ERASURE_SIGNALS_MAX } from '../../participants/schema.ts'
import type { SubjectPart, SubjectRequest } from '../../registers/subject.ts'
import { links } from '../links.ts'
import { CommandLine } from '../parts/command.tsx'
import { Button, Form } from '../parts/form.tsx'
import { Note } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

interface PartProps {
  part: SubjectPart
  request: SubjectRequest
  viewer: Viewer
  once: Uuid
  now: Date
}

/** Whether another person has it to decide; what a later search found more is proposed anew. */
export const isProposed = ({ approval, erasure }: SubjectPart): boolean =>
  approval !== undefined && erasure === undefined

/** What was found of one source, and how far its erasure is. */
export const Part = ({ part, request, viewer, once, now }: PartProps): VNode => {
  const { source, signals, left, approval, erasure } = part
  return (
    <article class="part" aria-label={source}>
      <h3>
        {numberText(signals.length)} {signals.length === 1 ? 'signal' : 'signals'} of {source}
      </h3>
      <details>
        <summary>Which</summary>
        <ul>
          {signals.map((signal) => (
            <li key={signal}>
              <Hash value={signal} label="signal" whole />
            </li>
          ))}
        </ul>
      </details>
      {erasure !== undefined && (
        <>
          <Facts>
            <Fact name="erased">
              <Time at={erasure.at} now={now} />
            </Fact>
            <Fact name="notified">{numberText(erasure.notified)}</Fact>
            <Fact name="acknowledged">{erasure.acknowledged.join(', ') || 'nobody yet'}</Fact>
            {erasure.cannot_remove.length > 0 && <Fact name="cannot remove">{erasure.cannot_remove.join(', ')}</Fact>}
            {erasure.missing.length > 0 && <Fact name="missing">{erasure.missing.join(', ')}</Fact>}
            {erasure.unreachable.length > 0 && (
              <Fact name="to be asked by other means">{erasure.unreachable.join(', ')}</Fact>
            )}
          </Facts>
          <p>
            <a href={links.erasureCertificate(erasure.event)} download>
              Certificate of erasure
            </a>
          </p>
          <CommandLine label="Verify it" command={`aldis verify erasure-${erasure.event}.json`} />
        </>
      )}
      {erasure !== undefined && left.length > 0 && (
        <Note title="Not everything is erased">
          {numberText(left.length)} of them were found later, or are still there
        </Note>
      )}
      {left.length > 0 && approval !== undefined && isProposed(part) && (
        <Note title="Proposed">
          <a href={links.request(approval)}>The request that another person approves</a>
        </Note>
      )}
      {left.length > 0 && request.closed === undefined && (
        <Form action={links.eraseSubject(request.id)} csrf={viewer.csrf} once={once}>
          <input type="hidden" name="participant" value={part.participant} />
          <Button kind="danger">
            {left.length > ERASURE_SIGNALS_MAX
              ? `Propose to erase ${ERASURE_SIGNALS_MAX} of them`
              : 'Propose to erase them'}
          </Button>
        </Form>
      )}
    </article>
  )
}
