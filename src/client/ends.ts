/** Ends after which a recipient no longer uses a signal. */
export const ENDS: ReadonlySet<string> = new Set(['signal.withdrawn', 'signal.expired', 'signal.erased'])
