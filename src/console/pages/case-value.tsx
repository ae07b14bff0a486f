import type { VNode } from 'preact'
import type { RevealResult } from '../../feeds/schema.ts'
import { defanged } from '../../identifiers/defang.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Button, Form, Select } from '../parts/form.tsx'
import { hx, refusalsTo } from '../parts/hx.ts'
import { PURPOSE_WORDS } from '../words.ts'

interface ValueProps {
  one: CaseInfo
  csrf: string
  /** Whether its source sealed the link. */
  revealable: boolean
  value: RevealResult | undefined
}

/** The raw link behind a signal: not on the page, and not asked for by any address, until somebody says why. */
export function SealedLink({ one, csrf, revealable, value }: ValueProps): VNode | null {
  if (value !== undefined) return <RevealedLink value={value} />
  if (!revealable) return null
  const hasWords = (one.said?.texts.length ?? 0) > 0
  return (
    <div id="value" class="reveal">
      <p>The source sealed the link itself.</p>
      <Form
        action={links.caseValue(one.case)}
        csrf={csrf}
        label="Reveal the link"
        exchange={{
          ...hx({ post: links.caseValue(one.case), target: '#value', swap: 'outerHTML' }),
          ...refusalsTo('#value-refused'),
        }}
      >
        <Select
          name="purpose"
          id="f-value-purpose"
          label="What for"
          choices={Object.entries(PURPOSE_WORDS).map(([code, label]) => ({ value: code, label }))}
          value="investigation"
        />
        <Button kind="plain" {...(!hasWords && { keyName: 'R' })}>
          Reveal the link
        </Button>
      </Form>
      <div id="value-refused" role="alert" />
      <p class="hint">
        An entry of the log, each time: {one.source} can see that your organisation revealed it, and what for.
      </p>
    </div>
  )
}

/** As text with its dots and scheme broken: nothing on the page leads there. */
export const RevealedLink = ({ value: { value, event } }: { value: RevealResult }): VNode => (
  <div id="value" class="revealed" tabIndex={-1} data-focus>
    <h3>The link</h3>
    <p class="words">
      <code>{defanged(value)}</code>
    </p>
    <p class="muted">Shown so that nothing follows it. Recorded as {event.slice(0, 8)}.</p>
  </div>
)
