using System.Text.Json.Serialization;

namespace EventMail.Domain.Reception;

/// <summary>What a filter of spam or viruses said of a message, in the filter's own words, bounded.</summary>
/// <param name="Filter">"rspamd", or a milter's address as it is configured.</param>
/// <param name="Action">Rspamd's word ("no action", "add header", "reject"), a milter's reply ("accept", "reject", "quarantine"); "unavailable" when it could not be asked, "unchecked" when it was not.</param>
/// <param name="Score">Null where the filter has no scores.</param>
/// <param name="Required">The score at which it would refuse.</param>
/// <param name="Symbols">The rules that matched with what each counted, the weightiest first: "GTUBE(15)".</param>
public sealed record FilterVerdict(
    string Filter, string Action,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Score = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Required = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? Symbols = null);
