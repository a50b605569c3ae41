/**
 * The calls that cross from the sandbox to the host: only strings, numbers, booleans and undefined; anything with
 * a shape crosses as JSON.
 *
 * Owns the list of calls, so that both sides are checked against one type. Must not know either side. The names
 * are the plugin API's, because they are what the host's trace shows.
 */

/** What may cross. */
export type Crossing = string | number | boolean | undefined;

/** Kinds of a thing that has plugin data. */
export type PluginDataOwner = 'root' | 'collection' | 'variable';

/** Every call. Those of one object take its id first. */
export interface Native {
  /** Asks for `settle(token)` on the next turn: `same` continues the task after other people's edits have come
   * in, `next` is a task of its own, as after the disk or the network. */
  turn(token: number, when: string): void;
  now(): number;
  setTimeout(handle: number, delay_ms: number, repeat: boolean): void;
  clearTimeout(handle: number): void;
  'console.log'(level: string, text: string): void;
  /** Asks for `settle(token, json)`. */
  fetch(token: number, url: string, initJson: string): void;

  showUI(html: string, optionsJson: string): void;
  closePlugin(message: string | undefined): void;
  notify(message: string, optionsJson: string): number;
  'notify.cancel'(notification: number): void;
  openExternal(url: string): void;
  commitUndo(): void;
  triggerUndo(): void;
  /** Throws once the plugin is closed; `call` is the API's name. */
  alive(call: string): void;
  get_currentUser(): string;
  get_command(): string;
  /** What is offered for the `turn`-th text typed into a parameter: names, as JSON. */
  'parameters.suggest'(turn: number, namesJson: string): void;
  get_editorType(): string;
  get_pluginId(): string;
  /** Throws unless the manifest asks for `permission`. */
  permission(call: string, permission: string): void;

  'ui.postMessage'(messageJson: string, optionsJson: string): void;
  'ui.resize'(width: number, height: number): void;
  'ui.reposition'(x: number, y: number): void;
  'ui.show'(): void;
  'ui.hide'(): void;
  'ui.close'(): void;

  'clientStorage.getAsync'(key: string): string | undefined;
  'clientStorage.setAsync'(key: string, valueJson: string): void;
  'clientStorage.deleteAsync'(key: string): void;
  'clientStorage.keysAsync'(): string;

  get_name_root(): string;
  /** The pages' ids and names, as JSON. */
  get_pages(): string;
  /** The ids of a page's layers. */
  'page.layers'(id: string): string;
  'layer.get'(id: string, field: string): string;
  getPluginData(owner: string, id: string, key: string): string;
  setPluginData(owner: string, id: string, key: string, valueJson: string): void;
  getPluginDataKeys(owner: string, id: string): string;
  setRelaunchData(dataJson: string): void;

  'variables.getVariableByIdAsync'(id: string): boolean;
  'variables.getVariableCollectionByIdAsync'(id: string): boolean;
  /** Ids, one a line; `type` empty for all. */
  'variables.getLocalVariablesAsync'(type: string): string;
  'variables.getLocalVariableCollectionsAsync'(): string;
  'variables.createVariable'(name: string, collectionId: string, resolvedType: string): string;
  'variables.createVariableCollection'(name: string): string;
  'variables.createVariableAlias'(id: string): void;
  'variables.importVariableByKeyAsync'(key: string): string;
  'teamLibrary.getAvailableLibraryVariableCollectionsAsync'(): string;
  'teamLibrary.getVariablesInLibraryCollectionAsync'(key: string): string;

  /** `field` is one of the plain read-only or writable fields; JSON comes back. */
  'variable.get'(id: string, field: string): string;
  'variable.set_name'(id: string, value: string): void;
  'variable.set_description'(id: string, value: string): void;
  'variable.set_hiddenFromPublishing'(id: string, value: boolean): void;
  'variable.set_scopes'(id: string, scopesJson: string): void;
  'variable.setValueForMode'(id: string, modeId: string, valueJson: string): void;
  'variable.setVariableCodeSyntax'(id: string, platform: string, value: string): void;
  'variable.removeVariableCodeSyntax'(id: string, platform: string): void;
  'variable.remove'(id: string): void;

  'collection.get'(id: string, field: string): string;
  'collection.set_name'(id: string, value: string): void;
  'collection.set_hiddenFromPublishing'(id: string, value: boolean): void;
  'collection.addMode'(id: string, name: string): string;
  'collection.renameMode'(id: string, modeId: string, name: string): void;
  'collection.removeMode'(id: string, modeId: string): void;
  'collection.remove'(id: string): void;
}
