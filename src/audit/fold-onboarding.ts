import type { Fold } from './programme.ts'

const opened: Fold = ({ onboardings }, { text }) => {
  const known = { participant: text('participant'), kind: text('kind') }
  onboardings.set(text('onboarding'), known)
  return [{ of: `onboarding ${text('onboarding')}`, state: { ...known, outcome: null } }]
}

const moved: Fold = (_, { text }) => [
  {
    of: `onboarding-item ${text('onboarding')} ${text('item')}`,
    state: { state: text('state'), version: text('version') || null, digest: text('digest') },
  },
]

const closed: Fold = ({ onboardings }, { text }) => {
  const known = onboardings.get(text('onboarding')) ?? { participant: '', kind: '' }
  return [{ of: `onboarding ${text('onboarding')}`, state: { ...known, outcome: text('outcome') } }]
}

/** What organisations show before they are admitted, as entries make it. */
export const ONBOARDING_FOLDS: Readonly<Record<string, Fold>> = {
  'onboarding.opened': opened,
  'onboarding.moved': moved,
  'onboarding.closed': closed,
}
