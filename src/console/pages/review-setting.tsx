import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { ReviewSetting } from '../../review/sample-schema.ts'
import { WEEKDAYS } from '../../review/setting.ts'
import { links } from '../links.ts'
import { Button, Field, Form } from '../parts/form.tsx'
import { Errors, errorOf } from '../parts/note.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'

export interface SettingView {
  viewer: Viewer
  setting: ReviewSetting
  refusal: Refusal | undefined
}

/** When the organisation reviews, and how much of it a second time. */
export const SettingForm = ({ viewer, setting, refusal }: SettingView): VNode => {
  const { hours, sample_percent } = setting
  return (
    <section aria-labelledby="setting-title">
      <h2 id="setting-title">How we review</h2>
      <Errors refusal={refusal} />
      <Form action={links.setReview()} csrf={viewer.csrf} class="decide-form" label="How we review">
        <fieldset>
          <legend>Days (UTC); none: time always counts</legend>
          {WEEKDAYS.map((day) => (
            <label key={day} class="check">
              <input type="checkbox" name="day[]" value={day} checked={hours?.days.includes(day) === true} />{' '}
              {plain(day)}
            </label>
          ))}
        </fieldset>
        <Field
          {...{ name: 'from', label: 'From', hint: 'UTC, such as 09:00', width: 'narrow' }}
          value={hours?.from ?? '09:00'}
          error={errorOf(refusal, 'from')}
        />
        <Field
          {...{ name: 'to', label: 'To', hint: 'UTC, at most 24:00', width: 'narrow' }}
          value={hours?.to ?? '17:00'}
          error={errorOf(refusal, 'to')}
        />
        <Field
          {...{ name: 'sample_percent', label: 'Closed cases for a blind second look, of a hundred', width: 'narrow' }}
          {...{ inputMode: 'numeric' }}
          value={String(sample_percent)}
          error={errorOf(refusal, 'sample_percent')}
        />
        <p class="hint">Due dates of cases that are open already stay as they are.</p>
        <Button>Save</Button>
      </Form>
    </section>
  )
}
