namespace EventMail.EventStore.Embedded;

/// <summary>Where filled clusters are kept to be copied, and what is in them.</summary>
/// <param name="Folder">One of this user's.</param>
/// <param name="Contents">Stands for what <paramref name="Fill"/> makes, as a part of a file's name: another program has another template.</param>
/// <param name="Fill">Makes what every new database has; gets a connection string.</param>
/// <param name="WorkPrefix">What the names of temporary folders begin with in which templates are made.</param>
public sealed record TemplateOptions(string Folder, string Contents, Func<string, CancellationToken, Task> Fill, string WorkPrefix);
