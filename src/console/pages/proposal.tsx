import type { VNode } from 'preact'
import type { CaseInfo, DecisionInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Button, Form } from '../parts/form.tsx'
import { Note } from '../parts/note.tsx'
import type { Viewer } from '../viewer.ts'

interface ProposalProps {
  one: CaseInfo
  decision: DecisionInfo
  viewer: Viewer
}

/** Whoever proposed may only take it back; what approves stands with everybody else. */
export const ProposalActs = ({ one, decision, viewer }: ProposalProps): VNode =>
  decision.decided_by === viewer.pseudonym ? (
    <div class="proposal">
      <Note tone="info">You proposed this: a colleague has to approve it.</Note>
      <Form action={links.answerProposal(one.case, decision.decision)} csrf={viewer.csrf}>
        <Button name="answer" value="retract">
          Take it back
        </Button>
      </Form>
    </div>
  ) : (
    <Form action={links.answerProposal(one.case, decision.decision)} csrf={viewer.csrf} class="proposal">
      <Button kind="primary" name="answer" value="approve" keyName="y">
        Approve
      </Button>
      <DenyReason id={`deny-${decision.decision}`} />
      <Button kind="danger" name="answer" value="deny">
        Deny
      </Button>
    </Form>
  )

const DENIALS = [
  ['denied', 'I disagree with it'],
  ['reason_differs', 'The reason does not fit'],
  ['evidence_missing', 'The evidence is too thin'],
  ['wrong_verdict', 'Another verdict is right'],
  ['words_unfit', 'The note must not leave like this'],
] as const

const DenyReason = ({ id }: { id: string }): VNode => (
  <div class="field">
    <label for={id}>If denied, because</label>
    <select id={id} name="reason" class="input">
      {DENIALS.map(([reason, label]) => (
        <option key={reason} value={reason}>
          {label}
        </option>
      ))}
    </select>
  </div>
)
