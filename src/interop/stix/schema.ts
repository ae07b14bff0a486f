import { type Static, Type } from 'typebox'
import { CategorySlug, NoteSchema } from '../../feedback/schema.ts'
import { BASIS, HANDLING_NUMBER, PatternValue, SEVERITY, SURFACE } from '../../signals/schema.ts'
import { PATTERN_MAX } from './parse-pattern.ts'

const closed = { additionalProperties: false } as const
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const IdOf = (type: string) => Type.String({ pattern: `^${type}--${UUID}$` })
const Stamp = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z$',
})
const Word = Type.String({ minLength: 1, maxLength: 128 })
/** Written by people, and not kept. */
const Prose = Type.String({ maxLength: 4_096 })
const Words = Type.Array(Type.String({ maxLength: 256 }), { maxItems: 100 })
const Foreign = Type.Unsafe<Record<string, unknown>>({ type: 'object' })

/** What all objects may have. Marks on single properties are none of it: they could not be kept. */
const common = {
  spec_version: Type.Literal('2.1'),
  created_by_ref: Type.Optional(IdOf('identity')),
  created: Stamp,
  modified: Stamp,
  revoked: Type.Optional(Type.Boolean()),
  labels: Type.Optional(Words),
  confidence: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  lang: Type.Optional(Word),
  external_references: Type.Optional(Type.Array(Foreign, { maxItems: 100 })),
  object_marking_refs: Type.Optional(Type.Array(IdOf('marking-definition'), { maxItems: 10 })),
  extensions: Type.Optional(Foreign),
}

export const IndicatorObject = Type.Object(
  {
    type: Type.Literal('indicator'),
    id: IdOf('indicator'),
    ...common,
    name: Type.Optional(Prose),
    description: Type.Optional(Prose),
    indicator_types: Type.Optional(Words),
    pattern: Type.String({ minLength: 1, maxLength: PATTERN_MAX }),
    pattern_type: Type.Enum(['stix', 'pcre']),
    pattern_version: Type.Optional(Word),
    valid_from: Stamp,
    valid_until: Type.Optional(Stamp),
    kill_chain_phases: Type.Optional(Type.Array(Foreign, { maxItems: 20 })),
  },
  closed,
)
export type IndicatorObject = Static<typeof IndicatorObject>

/** What was observed stays where it was: nothing that an object refers to is fetched. */
export const SightingObject = Type.Object(
  {
    type: Type.Literal('sighting'),
    id: IdOf('sighting'),
    ...common,
    description: Type.Optional(Prose),
    first_seen: Type.Optional(Stamp),
    last_seen: Type.Optional(Stamp),
    count: Type.Optional(Type.Integer({ minimum: 0, maximum: 999_999_999 })),
    sighting_of_ref: IdOf('indicator'),
    where_sighted_refs: Type.Optional(Type.Array(IdOf('(?:identity|location)'), { maxItems: 100 })),
    summary: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type SightingObject = Static<typeof SightingObject>

export const OpinionObject = Type.Object(
  {
    type: Type.Literal('opinion'),
    id: IdOf('opinion'),
    ...common,
    explanation: Type.Optional(Prose),
    authors: Type.Optional(Words),
    opinion: Type.Enum(['strongly-disagree', 'disagree', 'neutral', 'agree', 'strongly-agree']),
    object_refs: Type.Array(IdOf('indicator'), { minItems: 1, maxItems: 1 }),
  },
  closed,
)
export type OpinionObject = Static<typeof OpinionObject>

const { kind, language, case_sensitive, whole_word, confusables, must_match, must_not_match } = PatternValue.properties

/** Our property extension as it is taken: what is said of an object by whoever serves it is passed over. */
export const OwnExtension = Type.Object(
  {
    extension_type: Type.Literal('property-extension'),
    ...{ source: Type.Optional(Word), signal: Type.Optional(Word), event: Type.Optional(Word) },
    ...{
      revision: Type.Optional(Type.Integer()),
      authority: Type.Optional(Word),
      taxonomy: Type.Optional(Type.Integer()),
    },
    state: Type.Optional(Type.Enum(['live', 'held', 'ended'])),
    ...{ end_reason: Type.Optional(Word), signal_type: Type.Optional(Word), platform: Type.Optional(Word) },
    ...{ hash_profile: Type.Optional(Word), key_id: Type.Optional(Word) },
    category: Type.Optional(CategorySlug),
    signal_severity: Type.Optional(Type.Enum([...SEVERITY])),
    basis: Type.Optional(Type.Enum([...BASIS])),
    context: Type.Optional(
      Type.Object(
        {
          region: Type.String({ pattern: '^[A-Z]{2}$' }),
          legal_basis: CategorySlug,
          surface: Type.Enum([...SURFACE]),
        },
        closed,
      ),
    ),
    handling: Type.Optional(Type.Enum(Object.keys(HANDLING_NUMBER) as (keyof typeof HANDLING_NUMBER)[])),
    note: Type.Optional(NoteSchema),
    scope: Type.Optional(
      Type.Object(
        { host: Type.Enum(['exact', 'suffix']), path: Type.Enum(['query', 'exact', 'prefix', 'root']) },
        closed,
      ),
    ),
    media: Type.Optional(Type.Literal('video')),
    pdq_max_distance: Type.Optional(Type.Integer()),
    regex_dialect: Type.Optional(Type.Literal('re2')),
    kind: Type.Optional(kind),
    language: Type.Optional(language),
    case_sensitive: Type.Optional(case_sensitive),
    whole_word: Type.Optional(whole_word),
    confusables,
    must_match: Type.Optional(must_match),
    must_not_match: Type.Optional(must_not_match),
    disposition: Type.Optional(Word),
  },
  closed,
)
export type OwnExtension = Static<typeof OwnExtension>
