/** The prelude as one script; tests/bundle.mjs builds it. */
declare module 'figma-prelude' {
  const script: string;
  export default script;
}
