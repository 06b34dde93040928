namespace EventMail.EventStore;

/// <summary>What a node says of the versions that it folds (eventmail.node.read_models): words that others look for.</summary>
internal static class NodeModels
{
    /// <summary>With the limits of a word, so that no name is found inside another.</summary>
    public static string Word(string name, int version) => $" {name}={version} ";

    public static string Of(IEnumerable<IReadModel> models) => string.Concat(models.Select(m => Word(m.Name, m.Version)));
}
