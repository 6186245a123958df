<?php
// $SSP/key names the pair that signs: `one`, later `two`.
$key = trim(file_get_contents(getenv('SSP') . '/key'));
$metadata[getenv('SSP_URL') . 'idp'] = [
    'host' => '__DEFAULT__',
    'privatekey' => "$key.key",
    'certificate' => "$key.crt",
    'auth' => 'people',
    'SingleSignOnServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'authproc' => [
        10 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'mail',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        ],
    ],
];
