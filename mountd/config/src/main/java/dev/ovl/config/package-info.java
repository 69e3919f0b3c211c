/**
 * Settings: what a user chooses once for a machine, by an option, a variable of the environment or
 * a key in {@code /etc/ovl/config.toml}, in this order.
 *
 * <ul>
 *   <li>{@link dev.ovl.config.Setting} defines each of them: its {@link dev.ovl.config.Kind} of
 *       value, its default, who reads it. Help, manual pages, completion and the default file are
 *       made from it.
 *   <li>{@link dev.ovl.config.SettingOptions} puts them into a command line, {@link
 *       dev.ovl.config.Sources} are the places that are looked at, {@link
 *       dev.ovl.config.Configuration} is what came of it, with the {@link dev.ovl.config.Origin} of
 *       each value. {@code UserDirectories} has the defaults of an ordinary user.
 *   <li>Not public: {@code ConfigFile} reads the file, {@code TomlText} its syntax; the latter, and
 *       with it the TOML library, is loaded only for a file that says anything.
 * </ul>
 *
 * <p>Texts of options and variables may hold lone surrogates, which stand for stray bytes; they are
 * passed on as they are. Imports picocli, tomlj and nothing else of ovl.
 */
package dev.ovl.config;
