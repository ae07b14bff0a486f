import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import { Field } from '../parts/form.tsx'
import { errorOf } from '../parts/note.tsx'

/** When an act is to take effect; empty where somebody carries it out. */
export const AtField = ({ value, refusal }: { value: string | undefined; refusal: Refusal | undefined }): VNode => (
  <Field
    {...{ name: 'effective_at', label: 'Takes effect', maxLength: 20, value }}
    hint="UTC, such as 2026-12-01T08:00:00Z, at most 90 days ahead. Empty: when somebody carries it out."
    error={errorOf(refusal, 'effective_at')}
  />
)
