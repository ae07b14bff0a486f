import type { StixObject } from './standing.ts'

/** A STIX object as JSON, and what is asked of it. */
export interface StixText {
  id: string
  type: string
  /** When it was modified, or made where there is but one version of it. */
  version: string
  text: string
}

export const stixText = (object: StixObject, version: string): StixText => {
  const { id, type } = object
  return { id, type, version, text: JSON.stringify(object) }
}
