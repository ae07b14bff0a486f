declare const brand: unique symbol

/** A string that only its schema or maker can produce. */
export type Branded<Name extends string, Base = string> = Base & { readonly [brand]: Name }
