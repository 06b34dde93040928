namespace EventMail.Host.Configuration;

/// <summary>The setting's value is masked wherever settings are shown.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>The setting counts bytes and may be written with a unit.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BytesAttribute : Attribute;

/// <summary>The smallest and the largest value a number may have.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeAttribute(long least, long most = long.MaxValue) : Attribute
{
    public long Least => least;
    public long Most => most;
}

/// <summary>The only words the setting may have.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OneOfAttribute(params string[] words) : Attribute
{
    public IReadOnlyList<string> Words => words;
}
