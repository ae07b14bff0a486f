/** The project's folder: `npm run` starts every script there. */
export const ROOT = process.cwd()
