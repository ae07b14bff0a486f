/** What is thrown where several things failed, each for itself: the only failure, or all of them under a message. */
export const oneOf = (failed: readonly unknown[], message: string): unknown =>
  failed.length === 1 ? failed[0] : new AggregateError(failed, message)
