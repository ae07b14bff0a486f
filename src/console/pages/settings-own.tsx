import type { VNode } from 'preact'
import { dayOf } from '../../kernel/day.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Exposure } from '../exposure.ts'
import { links } from '../links.ts'
import { Button, Field, Form } from '../parts/form.tsx'
import { Errors, errorOf } from '../parts/note.tsx'
import { KEY_ACT_NAMES, KEY_ACTS, type KeyAct, type Preferences } from '../preference-rule.ts'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'

export interface OwnProps {
  viewer: Viewer
  preferences: Preferences
  /** Of today. */
  exposure: Exposure | undefined
  /** Of the last month, the newest day first. */
  exposures: readonly { day: string; seen: number }[]
  categories: readonly string[]
  now: Date
  refused?: { form: 'keys' | 'wellbeing'; refusal: Refusal; typed: Readonly<Record<string, string>> }
}

/** Each act has one key; what is left empty keeps its own. */
export const KeysPart = ({ viewer, preferences, refused }: OwnProps): VNode => {
  const own = refused?.form === 'keys' ? refused : undefined
  return (
    <section class="part" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys of your own</h2>
      <p class="muted">
        One small letter, digit or sign for each. Verdicts, <kbd class="key">j</kbd> <kbd class="key">k</kbd>{' '}
        <kbd class="key">/</kbd> <kbd class="key">?</kbd> and <kbd class="key">g</kbd> stay what they are.
      </p>
      <Form action={links.saveKeys()} csrf={viewer.csrf} id="own-keys">
        <Errors id="keys-errors" refusal={own?.refusal} />
        <div class="own-keys">
          {KEY_ACT_NAMES.map((act) => (
            <KeyField key={act} act={act} keys={preferences.keys} own={own} />
          ))}
        </div>
        <p class="actions">
          <Button kind="primary">Save keys</Button>
          <Button name="reset" value="yes">
            As they were
          </Button>
        </p>
      </Form>
    </section>
  )
}

interface KeyFieldProps {
  act: KeyAct
  keys: Preferences['keys']
  own: OwnProps['refused']
}

const KeyField = ({ act, keys, own }: KeyFieldProps): VNode => (
  <Field
    name={act}
    id={`key-${act}`}
    label={KEY_ACTS[act].does}
    value={own?.typed[act] ?? keys[act] ?? KEY_ACTS[act].key}
    error={errorOf(own?.refusal, act)}
    maxLength={1}
    width="narrow"
  />
)

const LIMITS_OF_ONES_OWN = [
  { name: 'daily_cap', label: 'Severe cases a day at most', hint: 'High and critical. Empty: no limit.' },
  {
    name: 'nudge_items',
    label: 'Remind me after so many',
    hint: 'Severe cases without a break of 15 minutes. Empty: never.',
  },
  { name: 'nudge_minutes', label: '… or after so many minutes', hint: 'With severe cases. Empty: never.' },
] as const

/** What keeps the work bearable; obeyed by what gives cases out, and seen by nobody else. */
export const WellbeingPart = (props: OwnProps): VNode => {
  const { viewer, preferences, categories, refused } = props
  const own = refused?.form === 'wellbeing' ? refused : undefined
  const shown = (name: (typeof LIMITS_OF_ONES_OWN)[number]['name']): string =>
    own?.typed[name] ?? (preferences[name] === null ? '' : String(preferences[name]))
  return (
    <section class="part" aria-labelledby="wellbeing-title">
      <h2 id="wellbeing-title">What you take on</h2>
      <p class="muted">
        <em>Start reviewing</em> and <em>next</em> obey this. What they leave out you still find in the queue. Nobody
        else sees what you choose here.
      </p>
      <Form action={links.saveWellbeing()} csrf={viewer.csrf} id="wellbeing">
        <Errors id="wellbeing-errors" refusal={own?.refusal} />
        <div class="wellbeing-fields">
          {LIMITS_OF_ONES_OWN.map(({ name, label, hint }) => (
            <Field
              key={name}
              {...{ name, label, hint }}
              value={shown(name)}
              error={errorOf(own?.refusal, name)}
              inputMode="numeric"
              maxLength={3}
              width="narrow"
            />
          ))}
        </div>
        <fieldset class="kinds">
          <legend>Categories not to be given</legend>
          {categories.map((category) => (
            <label key={category} class="choice">
              <input
                type="checkbox"
                name="opted_out[]"
                value={category}
                checked={preferences.opted_out.includes(category)}
              />
              <span>{plain(category)}</span>
            </label>
          ))}
        </fieldset>
        <p class="actions">
          <Button kind="primary">Save</Button>
        </p>
      </Form>
      <ExposurePart {...props} />
    </section>
  )
}

/** For its owner alone: no page of anybody else has it. */
const ExposurePart = ({ exposure, exposures, now }: OwnProps): VNode => {
  const past = exposures.filter(({ day }) => day !== dayOf(now))
  const most = Math.max(1, ...exposures.map(({ seen }) => seen))
  return (
    <div class="exposure">
      <h3>What you saw</h3>
      <p>
        <strong>{exposure?.seen ?? 0}</strong> severe {exposure?.seen === 1 ? 'case' : 'cases'} and words today,{' '}
        {exposure?.since_break ?? 0} since your last break. Only you see this; it is kept for 30 days.
      </p>
      {past.length > 0 && (
        <details>
          <summary>The last month</summary>
          <dl class="exposure-days">
            {past.map(({ day, seen }) => (
              <div key={day}>
                <dt>{day}</dt>
                <dd>
                  <meter min={0} max={most} value={seen} aria-label={`${seen} on ${day}`} /> {seen}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  )
}
