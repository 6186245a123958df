<?php
// SimpleSAMLphp as an identity provider on PHP's own web server; everything it writes stays in $SSP.
$home = getenv('SSP');
$config = [
    'baseurlpath' => getenv('SSP_URL'),
    'certdir' => "$home/cert/",
    'loggingdir' => "$home/log/",
    'datadir' => "$home/",
    'tempdir' => "$home/tmp/",
    'metadatadir' => "$home/metadata/",
    'metadata.sources' => [['type' => 'flatfile', 'directory' => "$home/metadata/"]],
    'secretsalt' => 'a test needs no secret',
    'auth.adminpassword' => 'not-the-default',
    'admin.protectindexpage' => true,
    'timezone' => 'UTC',
    'logging.handler' => 'errorlog',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$home/sessions",
    'session.cookie.secure' => false,
    'language.available' => ['en'],
    'language.default' => 'en',
    'theme.use' => 'default',
];
