/** Every refusal of the node: status and title (RFC 9457). The code is the contract; it ends the `type` URI `/problems/<code>`. */
export const CATALOGUE = {
  'invalid-json': [400, 'The body is not JSON'],
  'json-strict': [400, 'The JSON has a duplicate key, a lone surrogate, an unsafe integer or invalid UTF-8'],
  'json-limit': [422, 'The JSON is deeper, wider or longer than the limits'],
  'invalid-query': [400, 'A query parameter is unknown or malformed'],
  'filter-field': [400, 'The filter names a field that there is none of'],
  'filter-value': [400, 'A term of the filter is malformed'],
  'filter-conflict': [400, 'Two terms of the filter exclude each other'],
  'filter-range': [400, 'The filter is longer, or reaches over more, than the limit'],
  'invalid-cursor': [400, 'The cursor was not made by this node for this feed'],
  'invalid-header': [400, 'A request header is malformed'],
  'idempotency-key-invalid': [
    400,
    'The Idempotency-Key is not 1 to 255 visible characters without quotes, commas and backslashes',
  ],
  'access-token-invalid': [401, 'The access token is none that this node issued'],
  'access-token-foreign': [401, 'The access token was issued by another node or for another programme'],
  'access-token-expired': [401, 'The access token has expired'],
  'access-token-unbound': [401, "The access token is of another credential or certificate than the connection's"],
  'access-token-widened': [403, 'The access token has a scope that its credential no longer has'],
  'grant-invalid': [400, 'The token request is malformed'],
  'grant-unsupported': [400, 'The token request is of another grant than client_credentials'],
  'scope-unknown': [400, 'The token request asks for a scope that the credential does not have'],
  'client-refused': [
    401,
    'The client of the token request is not the credential of the connection, or does not prove itself',
  ],
  'bridge-secret': [401, 'The request does not carry the secret of this bridge'],
  'bridge-foreign': [403, 'The bridge answers programs of its own machine: no page in a browser, no other host name'],
  'credential-not-enrolled': [403, 'The client certificate is not an enrolled, active credential of this programme'],
  'collection-read-only': [403, 'The collection is not written by this protocol'],
  'scope-missing': [403, 'The credential lacks the scope of this route'],
  'participant-suspended': [403, 'The participant is suspended'],
  'not-found': [404, 'There is no such object, or it may not be seen'],
  'method-not-allowed': [405, 'The path does not know this method'],
  'not-acceptable': [406, 'None of the media types in Accept is served here'],
  'request-timeout': [408, 'The request did not arrive in time'],
  'state-conflict': [409, 'The object has moved on since it was read'],
  'idempotency-in-flight': [409, 'The first request under this Idempotency-Key is not answered yet; repeat it'],
  'idempotency-answer-lost': [
    409,
    'The request under this Idempotency-Key was carried out, at least in part, and its answer is not kept',
  ],
  'home-in-use': [409, 'Another process writes this folder'],
  replayed: [409, 'The submission identifier was used before for other bytes'],
  'cursor-expired': [410, 'The cursor is not within the history of the feed; sync anew from the start'],
  'precondition-failed': [412, 'The object is not as If-Match has it'],
  'too-large': [413, 'The body is larger than the limit of this route'],
  'uri-too-long': [414, 'The URL is longer than 2 KiB'],
  'unsupported-media-type': [415, 'The Content-Type or Content-Encoding is not served here'],
  'validation-failed': [422, 'A member is missing, unknown or malformed'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used before for another request; take a new one'],
  'stix-type-refused': [422, 'The object is none that signals and feedback are made of'],
  'stix-pattern-refused': [422, 'The pattern is none that a signal has'],
  'stix-marking-refused': [422, 'The object has marks that could not be kept'],
  'raw-identifier': [422, 'A field holds what looks like a raw personal identifier; hash it at home'],
  'signature-invalid': [422, 'The JWS or its tree does not verify'],
  'signature-header': [422, 'The JWS protected header is not exactly what the node accepts'],
  'signing-key-unknown': [422, 'The signing key is not an active key of the participant'],
  'wrong-audience': [422, 'The submission is addressed to another node or programme'],
  'wrong-issuer': [422, 'The submission is signed by another participant than the one connected'],
  'submission-stale': [422, 'The submission was signed too long ago or in the future'],
  'items-limit': [422, 'A submission holds 1 to 1,000 items'],
  'item-limit': [422, 'An item is larger than the limit'],
  'taxonomy-unknown': [422, 'The taxonomy version or category is not known to this programme'],
  'audience-unknown': [422, 'The audience is none that this participant may share with'],
  'hash-profile-unknown': [422, 'The hash profile or key epoch is not known to this programme'],
  'element-invalid': [422, 'An element is no element of the group, or its identity'],
  'hash-profile-retired': [422, 'The hash profile or key epoch is retired'],
  'policy-refused': [422, 'A rule of the programme refuses this'],
  'retention-exceeded': [422, 'The expiry is beyond the retention maximum of the type'],
  'audience-sealed': [422, 'A sealed audience takes only what has a match key: identifiers, links and media hashes'],
  'audience-mode-fixed': [409, 'The mode of an audience is never changed; make another audience'],
  'mirror-only': [422, 'The audience has too many entries for buckets; keep a mirror'],
  'tlp-refused': [422, 'The TLP level does not allow this audience or type'],
  'collection-held': [422, 'The programme holds signals of this collection context'],
  'suppressed-value': [422, 'The value is on a suppression list: it is shared by many or stands for nothing'],
  'pattern-text': [422, 'The pattern holds characters that are invisible, unassigned or turn the direction of text'],
  'pattern-syntax': [422, 'The pattern is not RE2 syntax, or uses a form of it that is not taken'],
  'pattern-size': [422, 'The pattern compiles to more instructions than the limit'],
  'pattern-literals': [422, 'The pattern has too little that is literal: it would match nearly everything'],
  'pattern-samples': [422, 'The pattern does not do what its test strings say'],
  'pattern-cost': [422, 'The pattern takes more time or memory to compile and try than is granted'],
  'pattern-broad': [422, 'The pattern matches many common words and was not reviewed by a person'],
  'revision-conflict': [409, 'The revision does not follow the last one'],
  'signal-ended': [409, 'The signal was withdrawn, has expired or was erased'],
  'signal-held': [409, 'The signal is held for all recipients; answer its disputes, then release or withdraw it'],
  'lease-held': [409, 'Somebody else works on the case'],
  'lease-lapsed': [409, 'The lease ended and somebody came between; read the case again'],
  'case-moved': [409, 'The case is in another state or version than the one that was read'],
  'grace-over': [409, 'The decision has been released; correct it instead'],
  'reason-unknown': [422, 'The reason is none of this verdict, or needs a note'],
  'value-mismatch': [422, 'The value is not what the signal hashed, or its type has none'],
  'value-absent': [404, 'Its source sealed no value beside this signal, or it is gone'],
  'page-limit': [422, 'The page or batch is larger than the limit'],
  'certificate-request-refused': [422, 'The certificate signing request is malformed, unsigned or of a weak key'],
  'issuer-ended': [503, 'The certificate that the programme certifies keys under has ended; its operator renews it'],
  'enrolment-refused': [403, 'The enrolment code is unknown, used, expired or tried too often'],
  'audience-widened': [409, 'Who joins would be given what was shared before they were a member'],
  'fingerprint-mismatch': [422, 'The fingerprint is not that of the key that was presented'],
  'onboarding-incomplete': [409, 'The onboarding has items that nobody has accepted yet'],
  'approval-missing': [403, 'The act needs an approval by another person that it does not have'],
  'approval-refused': [409, 'The approval is expired, executed, rejected or was given for another payload'],
  'self-approval': [403, 'Nobody approves what they proposed'],
  'person-unknown': [403, 'The person is unknown or lacks the role'],
  'sign-in-refused': [403, 'The sign-in was not completed; begin again'],
  'form-refused': [403, 'The form was not sent from a page of this session'],
  'step-up-missing': [403, 'The act needs a fresh, stronger sign-in'],
  'hold-placed': [409, 'A legal hold covers it; two persons lift the hold first'],
  'webhook-refused': [422, 'The URL is none that the node may post to'],
  'webhook-limit': [409, 'The organisation has as many webhooks as it may have'],
  'view-limit': [409, 'There are as many saved views as there may be'],
  'session-ended': [401, 'There is no session, or it has ended; sign in again'],
  'headers-too-large': [431, 'The request headers are larger than 16 KiB'],
  'rate-limited': [429, 'Too many requests'],
  'stream-limit': [429, 'The credential has as many streams open as it may'],
  'quota-exceeded': [429, 'The quota of the day for this purpose is used up'],
  internal: [500, 'The node failed; nothing was changed unless it was acknowledged'],
  busy: [503, 'The node is overloaded; try again'],
  'read-only': [503, 'The database does not take writes'],
  'evaluation-failed': [503, 'The evaluation was not finished; repeat with the same Idempotency-Key'],
  'outcome-unknown': [503, 'The commit was not confirmed; repeat with the same key'],
  'authority-stale': [503, 'The list of credentials could not be refreshed'],
  'log-halted': [503, 'The provenance log is halted until its operator has acted; no entry, no answer'],
  'feed-paused': [503, 'Two persons of the programme have paused this feed; later it goes on at the same cursor'],
  'log-behind': [503, 'The provenance log cannot be written or published; no entry, no answer'],
  'answer-unverified': [502, 'What the node answered does not verify; nothing of it is passed on'],
  'node-needed': [503, 'This takes the node, which does not answer or was not to be asked'],
  'mirror-stale': [503, 'The mirror is older than it may be for an answer'],
  'outbox-full': [503, 'The outbox has no room until the node took what is in it, or what it refused was removed'],
  'list-address': [422, 'A list is fetched over https, or http on loopback, by an address without user and password'],
  'list-moved': [502, 'The list is served at another place, and that is not followed'],
  'list-too-large': [413, 'The list is larger than what is fetched of one'],
  'list-too-slow': [504, 'The list does not come in time'],
  'list-unavailable': [502, 'The server of the list does not give it out'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ErrorCode = keyof typeof CATALOGUE

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(CATALOGUE, code)

/** One offending member: RFC 6901 pointer and code, never the value. */
export interface FieldError {
  pointer: string
  code: ErrorCode
  detail?: string
}

export interface RefusalOptions {
  /** Shown to the caller: what to do next. Never a value from the request. */
  detail?: string
  errors?: readonly FieldError[]
  /** Machine-readable facts: a limit, the current revision. */
  extra?: Readonly<Record<string, string | number>>
  retryAfter?: number
  cause?: unknown
}

/** The one error that may leave the node. Anything else leaves as `internal`. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string | undefined
  readonly errors: readonly FieldError[]
  readonly extra: Readonly<Record<string, string | number>>
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, options: RefusalOptions = {}) {
    super(`${code}: ${options.detail ?? CATALOGUE[code][1]}`, { cause: options.cause })
    this.name = 'Refusal'
    this.code = code
    this.status = CATALOGUE[code][0]
    this.detail = options.detail
    this.errors = options.errors ?? []
    this.extra = options.extra ?? {}
    this.retryAfter = options.retryAfter
  }
}

/** A start that must not happen: `aldis` and the node end with 78 (EX_CONFIG) and name the setting, never its value. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}
