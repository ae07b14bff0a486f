import type { VNode } from 'preact'
import type { ProofStep } from '../../provenance/proof-steps.ts'
import { Badge } from '../parts/badge.tsx'

const STEP_TITLES: Readonly<Record<ProofStep['step'], string>> = {
  leaf: 'What is shown is what was written',
  path: 'It is in the log, at this place',
  signature: 'The node signed that log',
  witnesses: 'Others saw the same log',
  consistency: 'Nothing was changed since this browser last looked',
}

const LOOK = {
  PASS: { tone: 'ok', icon: 'ok' },
  FAIL: { tone: 'crit', icon: 'alert' },
  UNKNOWN: { tone: 'neutral', icon: 'info' },
} as const

/** The five steps, each with its verdict and one sentence; a script in the tab does them again and writes its own. */
export const ProofSteps = ({ steps }: { steps: readonly ProofStep[] }): VNode => (
  <ol class="proof-steps" id="proof-steps">
    {steps.map(({ step, result, says }) => (
      <li key={step} data-step={step} data-result={result}>
        <span class="proof-verdict">
          <Badge {...LOOK[result]}>{result}</Badge>
        </span>
        <div>
          <strong>{STEP_TITLES[step]}</strong>
          <p class="proof-says">{says}</p>
        </div>
      </li>
    ))}
  </ol>
)
