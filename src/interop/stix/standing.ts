import type { SignalItem } from '../../signals/schema.ts'
import { EXTENSION, identityId } from './ids.ts'

/** A STIX object as it is sent. */
export type StixObject = Readonly<Record<string, unknown>> & { type: string; id: string }

/** TLP 2.0 as OASIS publishes it: `marking-definition` objects by level. */
export const TLP_MARKING: Readonly<Record<SignalItem['tlp'], string>> = {
  clear: 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  green: 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  amber: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'amber+strict': 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  red: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
}

const TLP_EXTENSION = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d'
const PUBLISHED = '2026-10-01T00:00:00.000Z'

/** What every collection has before anything else: who serves it, what its extension means, and the markings that objects name. */
export function standingObjects(programme: string): StixObject[] {
  const own = { spec_version: '2.1', created: PUBLISHED, modified: PUBLISHED }
  return [
    { type: 'identity', id: identityId(programme), ...own, name: programme, identity_class: 'group' },
    {
      ...{ type: 'extension-definition', id: EXTENSION, ...own, created_by_ref: identityId(programme) },
      ...{ name: 'Aldis signal', version: '1.0.0', extension_types: ['property-extension'] },
      schema: 'https://aldis.example/docs/interop',
      description: 'A hashed signal of one participant: see docs/interop.md for each property.',
    },
    ...Object.entries(TLP_MARKING).map(([level, id]) => ({
      ...{ type: 'marking-definition', spec_version: '2.1', id, created: '2022-10-01T00:00:00.000Z' },
      name: `TLP:${level.toUpperCase()}`,
      extensions: { [TLP_EXTENSION]: { extension_type: 'property-extension', tlp_2_0: level } },
    })),
  ]
}
