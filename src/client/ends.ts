/** Ends after which a recipient no longer uses a signal. */
export const ENDS: ReadonlySet<string> = new Set(['signal.withdrawn', 'signal.expired', 'signal.erased'])
/** What brings a live signal, with the item that its source signed. */
export const LIVE: ReadonlySet<string> = new Set(['signal.created', 'signal.revised', 'signal.released'])
