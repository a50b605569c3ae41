/**
 * What each call of the plugin API costs in real Figma, in milliseconds, so that long slices show on the fake.
 *
 * Owns the figures. Must not know how they are charged. Only two are reported by others (`createVariable` and
 * `setValueForMode`); the rest are assumed from their kind: a write costs about as much as those, a read little.
 */

/** Milliseconds by the name of the call as it stands in the host's trace; a call that is not named is free. */
export type Costs = Readonly<Record<string, number>>;

/** Nothing costs anything: for tests of behaviour. */
export const FREE: Costs = {};

/** See above for which of these are reported and which assumed. */
export const REPORTED: Costs = {
  'variables.createVariable': 0.5,
  'variable.setValueForMode': 0.3,
  // Assumed: writes.
  'variables.createVariableCollection': 0.5,
  'collection.addMode': 0.5,
  'collection.renameMode': 0.3,
  'collection.removeMode': 0.5,
  'collection.remove': 0.5,
  'variable.remove': 0.3,
  'variable.set_name': 0.3,
  'variable.set_description': 0.1,
  'variable.set_hiddenFromPublishing': 0.1,
  'variable.set_scopes': 0.1,
  'variable.setVariableCodeSyntax': 0.1,
  'variable.removeVariableCodeSyntax': 0.1,
  setPluginData: 0.05,
  // Assumed: reads.
  'variable.get': 0.002,
  'collection.get': 0.002,
  getPluginData: 0.002,
  getPluginDataKeys: 0.002,
  'variables.getVariableByIdAsync': 0.01,
  'variables.getLocalVariablesAsync': 5,
  'variables.getLocalVariableCollectionsAsync': 0.5,
};
